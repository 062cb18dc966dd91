"""Sensors, one a file: a new file in this folder is found by itself."""

from .base import Sensor, sensor_classes

__all__ = ["Sensor", "sensor_classes"]
