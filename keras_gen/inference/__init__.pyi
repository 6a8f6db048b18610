from .sampling import (
    generate as generate,
)
from .sampling import (
    generate_files as generate_files,
)
from .sampling import (
    latent_walk as latent_walk,
)
from .sampling import (
    predict_in_batches as predict_in_batches,
)
from .sampling import (
    sample_latents as sample_latents,
)
from .stored import (
    generator_path as generator_path,
)
from .stored import (
    load_generator as load_generator,
)
from .stored import (
    stored_names as stored_names,
)
from .stored import (
    weights_directory as weights_directory,
)
from .upscaling import (
    resized as resized,
)
from .upscaling import (
    upscale as upscale,
)
from .upscaling import (
    upscale_files as upscale_files,
)
