"""Neural networks that produce images of exactly the size you ask for.

    import keras_gen as kg

    kg.simple_generator(input_shape=(64, 64, 3), size=400).output_shape  # (None, 400, 400, 3)

`__init__.pyi` beside this file lists the public names. Each is loaded when it is first used, so
that size arithmetic and the command line's help answer without waiting for Keras.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
