"""Metrics of images, on plain arrays: quality, sharpness, spectra, distance and diversity."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
