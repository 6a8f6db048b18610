from .checking import findings as findings
from .main import app as app
