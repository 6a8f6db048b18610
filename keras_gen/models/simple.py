"""The simple generator: a plain stack of convolutions that turns a small image into a large one.

head → residual blocks → the route's stages (convolutions that halve, steps that enlarge)
     → colours, added to a smooth enlargement of the input → sigmoid
"""

import keras
from keras import Model, layers

from keras_gen._util import arguments
from keras_gen.models.blocks import activate, add_global_residual, convolution, seeds
from keras_gen.models.upsampling import transposed_initializer, upsample
from keras_gen.sizes import planner


def simple_generator(
    input_shape: tuple[int | None, int | None, int] = (64, 64, 3),
    size: int | tuple[int, int] | None = None,
    *,
    scale: int | None = None,
    upsampling: str = "transposed",
    activation: str = "leaky_relu",
    residual: bool = True,
    route: planner.Route | None = None,
    filters: int = 48,
    blocks: int = 8,
    global_residual: bool | None = None,
    channels: int = 3,
    seed: int | None = None,
    name: str = "simple_generator",
) -> Model:
    """Build a generator that maps a small image to a large one of exactly the size asked for.

    Args:
        input_shape: `(height, width, channels)` of the input, float32 in 0 … 1. With `scale`,
            height and width may be `None`: the network is then fully convolutional.
        size: side of the output in pixels, or `(height, width)`. 400 by default.
        scale: whole enlargement factor, instead of `size`.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`.
        activation: `"leaky_relu"` (slope 0.2), `"prelu"`, `"relu"`, `"silu"`, `"tanh"` or
            `"linear"`.
        residual: add each block's input to its output (He et al. 2016).
        route: the stages from the input's size to the output's, one of `keras_gen.routes(…)`; by
            default the best one.
        filters: channels at the input's resolution. They double where a stage halves the size and
            shrink again on the way up.
        blocks: residual blocks (two 3×3 convolutions each) at the input's resolution.
        global_residual: start from a bicubic enlargement of the input and draw only what it lacks (Kim et
            al. 2016). By default yes where input and output have the same channels and the output
            is the larger one.
        channels: channels of the output.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: `(batch, height, width, channels)` in, float32 in
        0 … 1 of `(batch, *size, channels)` out.

    Raises:
        ValueError: for an unknown activation or upsampling method, a size without a route, a route
            that does not start at the input's size, or both `size` and `scale`.

    Example:
        >>> simple_generator(input_shape=(64, 64, 3), size=400).output_shape
        (None, 400, 400, 3)
        >>> simple_generator(input_shape=(None, None, 3), scale=4).output_shape
        (None, None, None, 3)
    """
    _check(input_shape, size, scale, route)
    kernel_seeds = seeds(seed)
    inputs = keras.Input(input_shape, name="image")
    x = convolution(inputs, filters, kernel_seeds, name="head")
    for index in range(blocks):
        x = _block(x, activation, residual, kernel_seeds, name=f"block_{index + 1}")

    if scale is not None:
        width = _width(filters, scale)
        x = upsample(x, width, scale, upsampling, seed=next(kernel_seeds), name="stage_1")
        x = activate(x, activation, "stage_1")
        enlarged = layers.UpSampling2D(scale, interpolation="bicubic", name="bicubic")
    else:
        source = tuple(input_shape[:2])
        route = route or planner.routes(400 if size is None else size, source=source)[0]
        for index, stage in enumerate(route.stages, start=1):
            name_of_stage = f"stage_{index}"
            width = _width(filters, stage.size_out[0] / source[0])
            x = _stage(x, width, stage, upsampling, kernel_seeds, name=name_of_stage)
            x = activate(x, activation, name_of_stage)
            # Refining what the next stage makes smaller again would be work in vain.
            if index < len(route.stages) and _grows(route.stages[index]):
                x = _block(x, activation, residual, kernel_seeds, name=f"{name_of_stage}_block")
        enlarged = layers.Resizing(*route.target, interpolation="bicubic", name="bicubic")

    # The last kernel starts at zero: untrained, the generator draws its base, or an even grey.
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="to_rgb")(x)
    if global_residual is None:
        global_residual = channels == input_shape[-1] and (
            scale is not None or route.target >= source
        )
    if global_residual:
        x = add_global_residual(x, enlarged(inputs))
    return Model(
        inputs, layers.Activation("sigmoid", dtype="float32", name="picture")(x), name=name
    )


def _check(input_shape, size, scale, route):
    given = [f"{name}={value}" for name, value in (("size", size), ("scale", scale)) if value]
    if len(given) == 2:
        raise ValueError(f"{' and '.join(given)} were both given; give one of them")
    if len(input_shape) != 3 or input_shape[2] is None:
        raise ValueError(f"input_shape={input_shape} is not (height, width, channels)")
    if scale is not None and route is not None:
        raise ValueError("a route has fixed sizes; give size= with it, not scale=")
    if scale is None and None in input_shape[:2]:
        raise ValueError(f"input_shape={input_shape} leaves the size open; give scale= as well")
    if route is None:
        return
    if route.source != tuple(input_shape[:2]):
        raise ValueError(f"the route starts at {route.source}, the input is {input_shape[:2]}")
    if size is not None and route.target != arguments.as_pair(size):
        raise ValueError(f"the route ends at {route.target}, the size asked for is {size}")


def _grows(stage):
    return min(stage.size_out) > min(stage.size_in)


def _stage(x, width, stage, upsampling, seeds, *, name):
    """One stage of a route: as written, or by another method where the factor is whole."""
    seed = next(seeds)
    common = {"strides": stage.stride, "padding": stage.padding, "name": name}
    if stage.layer == "resize":
        return layers.Resizing(*stage.size_out, interpolation="bilinear", name=name)(x)
    if stage.layer == "crop":
        return layers.CenterCrop(*stage.size_out, name=name)(x)
    if stage.layer == "conv":
        start = keras.initializers.GlorotUniform(seed=seed)
        return layers.Conv2D(width, stage.kernel_size, kernel_initializer=start, **common)(x)
    if upsampling == "transposed":
        common["output_padding"] = stage.output_padding
        common["kernel_initializer"] = transposed_initializer(stage.stride, seed=seed)
        return layers.Conv2DTranspose(width, stage.kernel_size, **common)(x)
    scale = stage.stride[0]
    if stage.size_out != tuple(scale * side for side in stage.size_in):
        raise ValueError(
            f"upsampling={upsampling!r} enlarges by one whole factor, and this route goes from "
            f"{stage.size_in} to {stage.size_out}; use upsampling='transposed', or another route"
        )
    return upsample(x, width, scale, upsampling, seed=seed, name=name)


def _width(filters, enlargement):
    """Channels after a stage: more where the map is small, so that each stage costs about alike."""
    width = filters * min(max(1 / enlargement, 1 / 3), 4)
    return max(8, 8 * round(width / 8))


def _block(x, activation, residual, seeds, *, name):
    """Two 3×3 convolutions; with `residual` they only correct what passes beside them."""
    filters = x.shape[-1]
    y = convolution(x, filters, seeds, name=f"{name}_a")
    y = activate(y, activation, f"{name}_a")
    y = convolution(y, filters, seeds, name=f"{name}_b")
    if residual:
        return layers.Add(name=f"{name}_add")([x, y])
    return activate(y, activation, f"{name}_b")
