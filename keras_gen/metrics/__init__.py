"""How good, how sharp, how varied: numbers for images, on plain arrays."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
