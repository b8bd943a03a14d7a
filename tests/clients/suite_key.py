"""A pytest plugin: the official OpenAI suite calls with the key of our tenant instead of the constant of its conftest."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def key_of_the_tenant() -> None:
    import tests.conftest as suite

    suite.api_key = os.environ["BREAKWATER_KEY"]
