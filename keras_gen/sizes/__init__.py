"""Sizes: which size a layer gives, and which layers give the size you want. No Keras here."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
