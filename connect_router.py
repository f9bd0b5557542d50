"""Starts the command of this installation, whatever else on the module path is called ``router``.

Python searches the folders of PYTHONPATH before the installed packages. It would take a ``router.py`` there for the
package. Therefore the package next to this file is loaded by its place.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def main() -> int:
    """Runs the command line."""
    package = Path(__file__).with_name("router")
    spec = spec_from_file_location("router", package / "__init__.py", submodule_search_locations=[str(package)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["router"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    from router.cli import main as run

    return run()


if __name__ == "__main__":  # python -m connect_router
    sys.exit(main())
