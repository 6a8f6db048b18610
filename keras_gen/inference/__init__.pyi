from .sampling import (
    generate as generate,
    generate_files as generate_files,
    latent_walk as latent_walk,
    predict_in_batches as predict_in_batches,
    sample_latents as sample_latents,
)
from .stored import (
    generator_path as generator_path,
    load_generator as load_generator,
    stored_names as stored_names,
    weights_directory as weights_directory,
)
from .upscaling import resized as resized, upscale as upscale, upscale_files as upscale_files
