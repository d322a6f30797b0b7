from __future__ import annotations

import unittest

from greeting import greeting


class GreetingTest(unittest.TestCase):
    def test_the_answer_names_the_commit(self) -> None:
        answer = greeting({"GREETING": "Hi", "PAVANE_COMMIT": "abc"})

        self.assertEqual(answer, {"greeting": "Hi", "commit": "abc"})

    def test_a_greeting_is_there_without_settings(self) -> None:
        self.assertEqual(greeting({})["greeting"], "Hello")
