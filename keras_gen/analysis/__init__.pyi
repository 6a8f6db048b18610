from .costs import (
    Cost as Cost,
)
from .costs import (
    cost as cost,
)
from .diagnostics import (
    dead_units as dead_units,
)
from .diagnostics import (
    gradient_norms as gradient_norms,
)
from .diagnostics import (
    saturation as saturation,
)
from .effective_fields import (
    EffectiveField as EffectiveField,
)
from .effective_fields import (
    effective_receptive_field as effective_receptive_field,
)
from .fields import (
    Box as Box,
)
from .fields import (
    ReceptiveField as ReceptiveField,
)
from .fields import (
    projective_field as projective_field,
)
from .fields import (
    receptive_field as receptive_field,
)
from .inspection import (
    inspect_rows as inspect_rows,
)
from .inspection import (
    inspect_summary as inspect_summary,
)
from .inspection import (
    plot_fields as plot_fields,
)
