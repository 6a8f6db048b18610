"""The simple generator: a plain stack of convolutions that turns a small image into a large one.

image → head → residual blocks → stages of the route → to_rgb → + → sigmoid → picture
  └───────────────── bicubic upscaling to full size ────────────┘
"""

import keras
from keras import Model, layers

from keras_gen._util import arguments
from keras_gen.models.blocks import activate, add_global_residual, convolution, kernel_seeds
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
    """Build a generator that maps a small image to a large one of exactly the requested size.

    Args:
        input_shape: `(height, width, channels)` of the input, float32 in 0 … 1. With `scale`,
            height and width may be `None`: the network is then fully convolutional.
        size: side of the output in pixels, or `(height, width)`; 400 by default.
        scale: whole upscaling factor, instead of `size`.
        upsampling: one of the keys of `keras_gen.UPSAMPLING`.
        activation: `"leaky_relu"` (slope 0.2), `"prelu"`, `"relu"`, `"silu"`, `"tanh"` or
            `"linear"`.
        residual: add each block's input to its output (He et al. 2016).
        route: the stages from the input's size to the output's, one of `keras_gen.routes(…)`; the
            best one by default.
        filters: channels at the input's resolution. Stages that shrink the feature map increase
            the number, stages that upscale it reduce it.
        blocks: number of residual blocks (two 3×3 convolutions each) at the input's resolution.
        global_residual: add the input, upscaled bicubically, to the output, so that the network
            predicts only the difference (Kim et al. 2016). By default True if input and output
            have equally many channels and the output is not smaller than the input.
        channels: channels of the output.
        seed: seed of the initial weights.
        name: the model's name.

    Returns:
        A functional Keras model of stock layers: `(batch, height, width, channels)` in, float32
        `(batch, *size, channels)` in 0 … 1 out.

    Raises:
        ValueError: for an unknown activation or upsampling method, a size without a route, a route
            that does not fit the sizes, or both `size` and `scale`.

    Example:
        >>> simple_generator(input_shape=(64, 64, 3), size=400).output_shape
        (None, 400, 400, 3)
        >>> simple_generator(input_shape=(None, None, 3), scale=4).output_shape
        (None, None, None, 3)

    References:
        He et al. (2016), "Deep residual learning for image recognition". Kim, Lee and Lee (2016),
        "Accurate image super-resolution using very deep convolutional networks".
    """
    _check(input_shape, size, scale, route)
    seeds = kernel_seeds(seed)
    inputs = keras.Input(input_shape, name="image")
    x = convolution(inputs, filters, seeds, name="head")
    for index in range(blocks):
        x = _block(x, activation, residual, seeds, name=f"block_{index + 1}")

    if scale is not None:
        width = _width(filters, scale)
        x = upsample(x, width, scale, upsampling, seed=next(seeds), name="stage_1")
        x = activate(x, activation, "stage_1")
        bicubic = layers.UpSampling2D(scale, interpolation="bicubic", name="bicubic")
    else:
        source = tuple(input_shape[:2])
        route = route or planner.routes(400 if size is None else size, source=source)[0]
        for index, stage in enumerate(route.stages, start=1):
            stage_name = f"stage_{index}"
            width = _width(filters, stage.size_out[0] / source[0])
            x = _stage(x, width, stage, upsampling, seeds, name=stage_name)
            x = activate(x, activation, stage_name)
            # No block before a stage that shrinks: it would refine detail that the stage discards.
            if index < len(route.stages) and _upscales(route.stages[index]):
                x = _block(x, activation, residual, seeds, name=f"{stage_name}_block")
        bicubic = layers.Resizing(*route.target, interpolation="bicubic", name="bicubic")

    # With a kernel of zeros, the untrained network returns the upscaled input, or a flat grey.
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros", name="to_rgb")(x)
    if global_residual is None:
        smaller = scale is None and route.target < source
        global_residual = channels == input_shape[-1] and not smaller
    if global_residual:
        x = add_global_residual(x, bicubic(inputs))
    picture = layers.Activation("sigmoid", dtype="float32", name="picture")(x)
    return Model(inputs, picture, name=name)


def _check(input_shape, size, scale, route):
    if size is not None and scale is not None:
        raise ValueError(f"size={size} and scale={scale} were both given; give one of them")
    if len(input_shape) != 3 or input_shape[2] is None:
        raise ValueError(f"input_shape={input_shape} is not (height, width, channels)")
    if scale is not None and route is not None:
        raise ValueError("a route has fixed sizes; give size= with it, not scale=")
    if scale is None and None in input_shape[:2]:
        raise ValueError(f"input_shape={input_shape} leaves the size open; give scale= as well")
    if route is None:
        return
    if route.source != tuple(input_shape[:2]):
        raise ValueError(
            f"the route starts at {route.source}, but the input is {tuple(input_shape[:2])}; "
            "plan the route with the input's size as its source"
        )
    if size is not None and route.target != arguments.as_pair(size):
        raise ValueError(
            f"the route ends at {route.target}, but size={size} was given; leave size out, or plan "
            "the route for that size"
        )


def _upscales(stage):
    return min(stage.size_out) > min(stage.size_in)


def _stage(x, width, stage, upsampling, seeds, *, name):
    """One stage of a route: as planned, or with the chosen upsampling method in its place."""
    seed = next(seeds)
    common = {"strides": stage.stride, "padding": stage.padding, "name": name}
    if stage.layer == "resize":
        return layers.Resizing(*stage.size_out, interpolation="bilinear", name=name)(x)
    if stage.layer == "crop":
        return layers.CenterCrop(*stage.size_out, name=name)(x)
    if stage.layer == "conv":
        common["kernel_initializer"] = keras.initializers.GlorotUniform(seed=seed)
        return layers.Conv2D(width, stage.kernel_size, **common)(x)
    if upsampling == "transposed":
        common["output_padding"] = stage.output_padding
        common["kernel_initializer"] = transposed_initializer(stage.stride, seed=seed)
        return layers.Conv2DTranspose(width, stage.kernel_size, **common)(x)
    scale = stage.stride[0]
    if stage.size_out != tuple(scale * side for side in stage.size_in):
        raise ValueError(
            f"upsampling={upsampling!r} upscales both axes by one whole factor, but this route has "
            f"a stage from {stage.size_in} to {stage.size_out}; use upsampling='transposed', or "
            "another route"
        )
    return upsample(x, width, scale, upsampling, seed=seed, name=name)


def _width(filters, upscaling):
    """Channels after a stage: fewer for a larger feature map, so that costs stay balanced."""
    width = filters * min(max(1 / upscaling, 1 / 3), 4)
    return max(8, 8 * round(width / 8))


def _block(x, activation, residual, seeds, *, name):
    """Two 3×3 convolutions; with `residual`, they predict only a correction of their input."""
    filters = x.shape[-1]
    y = convolution(x, filters, seeds, name=f"{name}_a")
    y = activate(y, activation, f"{name}_a")
    y = convolution(y, filters, seeds, name=f"{name}_b")
    if residual:
        return layers.Add(name=f"{name}_add")([x, y])
    return activate(y, activation, f"{name}_b")
