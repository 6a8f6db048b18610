"""The subject of this project: three generators, the `GAN` class and what they are built from."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
