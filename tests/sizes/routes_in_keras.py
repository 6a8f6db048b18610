"""Routes as Keras models."""

import keras
from keras import layers

PROMISED = [  # target and source
    (400, 64),
    (400, 25),
    (400, 100),
    (400, 7),
    ((300, 500), (75, 125)),
    (401, 64),
]


def build(route, kernel="zeros"):
    """Turn the stages of a route into a Keras model of one channel."""
    options = {"use_bias": False, "kernel_initializer": kernel}
    model = keras.Sequential([keras.Input((*route.source, 1))])
    for stage in route.stages:
        if stage.layer == "conv":
            layer = layers.Conv2D(1, stage.kernel_size, stage.stride, stage.padding, **options)
        elif stage.layer == "transposed_conv":
            layer = layers.Conv2DTranspose(
                1,
                stage.kernel_size,
                stage.stride,
                stage.padding,
                output_padding=stage.output_padding,
                **options,
            )
        elif stage.layer == "resize":
            layer = layers.Resizing(*stage.size_out)
        else:
            layer = layers.CenterCrop(*stage.size_out)
        model.add(layer)
    return model
