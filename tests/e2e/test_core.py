"""The program behind lighttpd, as bin/web starts it."""

import json
import unittest

from support import *


class Reference(WebTest):
    def test_reference_example_arrives_at_the_owners(self):
        self.start_web()
        answer = self.post()
        self.assertEqual(answer.status, 201)
        self.assertEqual(json.loads(answer.body),
                         {"messages": 5, "errors": 4, "skipped": 0})
        self.assertEqual(self.collectors[0].lines(),
                         ["heaven.heroku.errors.R89:1|c"])
        self.assertEqual(self.collectors[1].lines(),
                         ["heaven.heroku.errors.R99:1|c",
                          "heaven.heroku.errors.L99:1|c",
                          "heaven.heroku.errors.H12:1|c"])


if __name__ == "__main__":
    main("e2e")
