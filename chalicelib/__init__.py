"""Agala: what runs in the shop owner's AWS account."""

VERSION = "0.1.0"
