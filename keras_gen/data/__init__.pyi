from . import (
    aerial as aerial,
)
from .batches import (
    cloud_pairs as cloud_pairs,
)
from .batches import (
    crop_batch as crop_batch,
)
from .batches import (
    image_batches as image_batches,
)
from .batches import (
    label_pairs as label_pairs,
)
from .batches import (
    mean_colour as mean_colour,
)
from .batches import (
    pairs as pairs,
)
from .bundled import (
    PHOTOGRAPHS as PHOTOGRAPHS,
)
from .bundled import (
    held_out_sky as held_out_sky,
)
from .bundled import (
    photographs as photographs,
)
from .bundled import (
    with_synthetic_images as with_synthetic_images,
)
from .folders import (
    folder as folder,
)
from .image_files import (
    UnreadableImageError as UnreadableImageError,
)
from .image_files import (
    list_images as list_images,
)
from .image_files import (
    read_image as read_image,
)
from .images import (
    Images as Images,
)
from .occlusions import (
    clouds as clouds,
)
from .occlusions import (
    occlude as occlude,
)
from .resampling import (
    center_crop as center_crop,
)
from .resampling import (
    reduce as reduce,
)
from .resampling import (
    upscale_bicubic as upscale_bicubic,
)
from .scenes import (
    HELD_OUT_SCENES as HELD_OUT_SCENES,
)
from .scenes import (
    TRAINING_SCENES as TRAINING_SCENES,
)
from .scenes import (
    Scenes as Scenes,
)
from .scenes import (
    aerial_images as aerial_images,
)
from .synthetic import (
    dead_leaves as dead_leaves,
)
from .synthetic import (
    text_page as text_page,
)
from .synthetic import (
    zone_plate as zone_plate,
)
