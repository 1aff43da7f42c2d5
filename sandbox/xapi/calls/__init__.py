"""The calls with behaviour, a module per class."""

import importlib
import pkgutil


def load() -> None:
    """Import every module of this package, so that its calls are registered."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
