"""An honest client among a thousand connections that mean no good."""

import threading

from conftest import wait_until
from hostile import Hostile, config, honest_post
from support import new_till, running


def test_an_honest_client_is_answered_among_a_thousand_hostile_ones(directory):
    with running(new_till(directory, "--config", config(directory, connections=500))) as till:
        port = int(till.url.rsplit(":", 1)[1])
        hostile, over = Hostile(port, 1_000, each=25), threading.Event()

        def attack():
            while not over.is_set():
                hostile.turn()
                over.wait(0.05)
            hostile.close()

        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            wait_until(lambda: hostile.begun >= 1_000, what="more connections than the till serves at once")
            for number in range(150):
                assert honest_post(port, number)[0] == 202, number
        finally:
            over.set()
            attacker.join()
