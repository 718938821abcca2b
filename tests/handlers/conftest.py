"""What the API's tests are made of serves the pages too."""

from tests.api.conftest import call as call
from tests.api.conftest import wired as wired
