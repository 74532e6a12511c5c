"""No secret of the configuration is seen anywhere but in the environment, and
the program keeps nothing that it does not need."""

import re
import subprocess

from fastcgi import *


class QueryStrings(unittest.TestCase):
    """RFC 3875 4.4: a query string without a = may become the arguments."""

    def cgi(self, *arguments):
        return subprocess.run(
            [PROGRAM, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=20, env={
                "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET",
                "PATH_INFO": "/_ping", "QUERY_STRING": "+".join(arguments)})

    def test_are_no_options(self):
        for arguments in (["--check"], ["--version"], ["--help"], ["x"],
                          ["--explain", "--app", "x", "/etc/passwd"]):
            with self.subTest(arguments):
                done = self.cgi(*arguments)
                self.assertTrue(done.stdout.startswith(b"Status: 200 OK\r\n"),
                                done.stdout)
                self.assertNotIn(b"root:", done.stdout)


if __name__ == "__main__":
    main("faults-secrets")
