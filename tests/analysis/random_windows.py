"""Random layers that read a window: convolution, pooling, padding, resizing."""

from keras import layers

from tests.analysis.random_choices import Choices, UnfitError

MOST_CHANNELS = 8


class Windows(Choices):
    """Adds a random layer with a window to a tensor."""

    def window(self, x, largest=4):
        """A kernel, strides and a padding that fit."""
        padding = self.pick("same", "valid")
        kernel = self.pair(1, largest)
        if padding == "valid":
            kernel = tuple(min(k, n) for k, n in zip(kernel, x.shape[1:3], strict=True))
        return {"kernel": kernel, "padding": padding}

    def conv(self, x):
        window, options = self.window(x), {}
        dilation = self.pair(1, 3) if self.random.random() < 0.3 else (1, 1)
        extents = [d * (k - 1) + 1 for d, k in zip(dilation, window["kernel"], strict=True)]
        if window["padding"] == "valid" and any(
            e > n for e, n in zip(extents, x.shape[1:3], strict=True)
        ):
            dilation = (1, 1)
        options["strides"] = self.pair(1, 3) if dilation == (1, 1) else (1, 1)
        options["dilation_rate"] = dilation
        options["padding"] = window["padding"]
        return self.layer(
            layers.Conv2D,
            self.integer(1, 4),
            window["kernel"],
            **options,
            activation=self.activation(),
            use_bias=self.positive,
        )(x)

    def grouped_conv(self, x):
        channels = x.shape[-1]
        if channels not in (2, 4, 6) or self.random.random() < 0.8:  # slow: compiled by XLA
            raise UnfitError
        window = self.window(x)
        return self.layer(
            layers.Conv2D,
            4,
            window["kernel"],
            padding=window["padding"],
            groups=2,
            use_bias=self.positive,
        )(x)

    def depthwise(self, x):
        window = self.window(x, 3)
        stride = self.integer(1, 2)
        dilation = self.integer(1, 2)
        if window["padding"] == "valid":
            dilation = 1
        if stride > 1 and dilation > 1 and self.random.random() < 0.5:
            stride = 1
        if x.shape[-1] * 2 > MOST_CHANNELS:
            raise UnfitError
        return self.layer(
            layers.DepthwiseConv2D,
            window["kernel"],
            strides=stride,
            dilation_rate=dilation,
            padding=window["padding"],
            depth_multiplier=self.integer(1, 2),
            use_bias=self.positive,
        )(x)

    def separable(self, x):
        window = self.window(x, 3)
        return self.layer(
            layers.SeparableConv2D,
            self.integer(1, 4),
            window["kernel"],
            strides=self.integer(1, 2),
            padding=window["padding"],
            use_bias=self.positive,
        )(x)

    def transposed(self, x):
        padding = self.pick("same", "valid")
        kernel, strides = self.pair(1, 5), self.pair(1, 3)
        output_padding = None
        if self.random.random() < 0.3:
            output_padding = tuple(self.integer(0, s - 1) for s in strides)
            if padding == "same":
                # Keras accepts an even kernel with no output padding, and TensorFlow aborts on it.
                kernel = tuple(k - 1 + k % 2 for k in kernel)
        x = self.small(x, 90)
        x = self.layer(
            layers.Conv2DTranspose,
            self.integer(1, 3),
            kernel,
            strides=strides,
            padding=padding,
            output_padding=output_padding,
            use_bias=self.positive and self.random.random() < 0.5,
        )(x)
        return x

    def average_pooling(self, x):
        return self.pooling(x, layers.AveragePooling2D)

    def max_pooling(self, x):
        return self.pooling(x, layers.MaxPooling2D)

    def pooling(self, x, kind):
        window = self.window(x)
        return self.layer(
            kind, window["kernel"], strides=self.pair(1, 3), padding=window["padding"]
        )(x)

    def adaptive_pooling(self, x):
        size = tuple(self.integer(1, n) for n in x.shape[1:3])
        return self.layer(layers.AdaptiveAveragePooling2D, size)(x)

    def adaptive_max_pooling(self, x):
        size = tuple(self.integer(1, n) for n in x.shape[1:3])
        return self.layer(layers.AdaptiveMaxPooling2D, size)(x)

    def global_pooling(self, x):
        if self.random.random() < 0.6:  # it ends all structure
            raise UnfitError
        x = self.layer(layers.GlobalAveragePooling2D, keepdims=True)(x)
        return self.layer(layers.UpSampling2D, self.pair(1, 4))(x)

    def zero_padding(self, x):
        return self.layer(layers.ZeroPadding2D, (self.pair(0, 2), self.pair(0, 2)))(x)

    def cropping(self, x):
        margins = [self.pair(0, min(2, (n - 1) // 2)) for n in x.shape[1:3]]
        return self.layer(layers.Cropping2D, tuple(margins))(x)

    def upsampling(self, x):
        return self.layer(layers.UpSampling2D, self.pair(1, 3))(self.small(x, 200))

    def smooth_upsampling(self, x):
        kinds = ["bilinear"] if self.positive else ["bilinear", "bicubic", "lanczos3", "lanczos5"]
        if self.positive and self.products:
            raise UnfitError  # TensorFlow resizes in float32, which squares of impulses overflow
        return self.layer(layers.UpSampling2D, self.pair(1, 3), interpolation=self.pick(*kinds))(
            self.small(x, 200)
        )

    def resizing(self, x):
        kinds = ["nearest", "bilinear", "area"]
        if not self.positive:
            kinds += ["bicubic", "lanczos3", "lanczos5"]
        kind = self.pick(*kinds)
        if kind != "nearest" and self.positive and self.products:
            raise UnfitError
        options = {"interpolation": kind}
        if kind not in ("nearest", "area") and self.random.random() < 0.3:
            options["antialias"] = True
        if self.random.random() < 0.3:
            options[self.pick("crop_to_aspect_ratio", "pad_to_aspect_ratio")] = True
        return self.layer(layers.Resizing, *self.pair(2, 25), **options)(x)

    def center_crop(self, x):
        height, width = x.shape[1:3]
        return self.layer(layers.CenterCrop, self.integer(1, height), self.integer(1, width))(x)
