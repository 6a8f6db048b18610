"""Arithmetic of sizes: the output of a layer, routes to a size, skip connections. No Keras."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
