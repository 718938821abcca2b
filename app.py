"""The map: the Chalice app and where each door is. Nothing else."""

from chalice import Chalice  # type: ignore[attr-defined]

app = Chalice(app_name="agala")
app.api.binary_types = []
