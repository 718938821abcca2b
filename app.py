"""The map: the Chalice app and where each door is. Nothing else."""

from chalice import Chalice

app = Chalice(app_name="agala")
app.api.binary_types = []
