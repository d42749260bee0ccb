"""A small court that does not exist, to run the whole SOP on: website, database, files, traffic, services, people."""

from runner.demo.build import Act, Demo, build_demo
from runner.demo.server import serve

__all__ = ["Act", "Demo", "build_demo", "serve"]
