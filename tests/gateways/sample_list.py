"""The samples of all gateways; a venue without one fails the suite."""

from importlib import import_module

from engine.gateways.gateway_list import GATEWAYS
from tests.gateways.sample import Sample

SAMPLES: dict[str, Sample] = {
    venue: import_module(f"tests.gateways.sample_{venue}").SAMPLE for venue in GATEWAYS
}
