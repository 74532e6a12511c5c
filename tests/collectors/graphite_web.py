"""Serves Debian's graphite-web on loopback with Python's own web server, and
the files of a folder in addition.

    graphite_web.py STORAGE WHISPER CACHE-QUERY-PORT PORT [PAGES]
"""

import mimetypes
import os
import socketserver
import sys
import types
from pathlib import Path
from wsgiref import simple_server

STORAGE, WHISPER, QUERY_PORT, PORT = sys.argv[1:5]
PAGES = Path(sys.argv[5]).resolve() if len(sys.argv) > 5 else None

settings = types.ModuleType("demo_settings")
settings.SECRET_KEY = os.urandom(16).hex()
settings.CONF_DIR = settings.STORAGE_DIR = settings.LOG_DIR = STORAGE
settings.WHISPER_DIR = WHISPER
settings.STATIC_ROOT = "/usr/share/graphite-web/static"
settings.INDEX_FILE = STORAGE + "/index"
settings.CARBONLINK_HOSTS = ["127.0.0.1:" + QUERY_PORT]
settings.STORAGE_FINDERS = ("graphite.finders.standard.StandardFinder",)
settings.TAGDB = None
settings.DEFAULT_CACHE_DURATION = 0
settings.USE_WORKER_POOL = False
settings.LEGEND_MAX_ITEMS = 30
settings.TIME_ZONE = "UTC"
sys.modules["demo_settings"] = settings
os.environ["GRAPHITE_SETTINGS_MODULE"] = "demo_settings"
os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"

from graphite.wsgi import application  # noqa: E402


def with_pages(environ, start_response):
    """A file of PAGES if the path names one, else Graphite."""
    name = environ["PATH_INFO"].lstrip("/") or "index.html"
    path = (PAGES / name).resolve() if PAGES else None
    if path is None or path.parent != PAGES or not path.is_file():
        return application(environ, start_response)
    body = path.read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    start_response("200 OK", [("Content-Type", kind),
                              ("Content-Length", str(len(body))),
                              ("Cache-Control", "no-store")])
    return [body]


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


class Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


simple_server.make_server("127.0.0.1", int(PORT), with_pages, Server,
                          Quiet).serve_forever()
