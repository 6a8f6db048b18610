from .costs import Cost as Cost, cost as cost
from .diagnostics import (
    dead_units as dead_units,
    gradient_norms as gradient_norms,
    saturation as saturation,
)
from .effective_fields import (
    EffectiveField as EffectiveField,
    effective_receptive_field as effective_receptive_field,
)
from .fields import (
    Box as Box,
    ReceptiveField as ReceptiveField,
    projective_field as projective_field,
    receptive_field as receptive_field,
)
from .inspection import (
    inspect_rows as inspect_rows,
    inspect_summary as inspect_summary,
    plot_fields as plot_fields,
)
