"""The service of this image: `python /app/start.py [MODE]`. An image's entry point cannot name a module by a variable."""

import os
import runpy

runpy.run_module(f"services.{os.environ['SERVICE']}", run_name="__main__", alter_sys=True)
