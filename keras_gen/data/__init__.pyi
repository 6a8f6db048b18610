from . import aerial as aerial
from .batches import (
    cloud_pairs as cloud_pairs,
    crop_batch as crop_batch,
    image_batches as image_batches,
    label_pairs as label_pairs,
    mean_colour as mean_colour,
    pairs as pairs,
)
from .bundled import (
    PHOTOGRAPHS as PHOTOGRAPHS,
    held_out_sky as held_out_sky,
    photographs as photographs,
    with_synthetic_images as with_synthetic_images,
)
from .folders import folder as folder
from .image_files import (
    UnreadableImageError as UnreadableImageError,
    list_images as list_images,
    read_image as read_image,
)
from .images import Images as Images
from .occlusions import clouds as clouds, occlude as occlude
from .resampling import (
    center_crop as center_crop,
    reduce as reduce,
    upscale_bicubic as upscale_bicubic,
)
from .scenes import (
    HELD_OUT_SCENES as HELD_OUT_SCENES,
    TRAINING_SCENES as TRAINING_SCENES,
    Scenes as Scenes,
    aerial_images as aerial_images,
)
from .synthetic import dead_leaves as dead_leaves, text_page as text_page, zone_plate as zone_plate
