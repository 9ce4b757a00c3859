"""Drives a broker with paho-mqtt and prints what came, a JSON line for each scenario.

usage: paho_client.py VERSION(3|4|5) TRANSPORT(tcp|websockets) PORT CA_FILE(or -)
"""

import hashlib
import json
import socket
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSION, TRANSPORT, PORT, CA = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
BASE = f"paho/{VERSION}/{TRANSPORT}/{'tls' if CA != '-' else 'plain'}"
WAIT_SECONDS = 30


class Peer:
    """A client with its network thread; keeps all that comes."""

    def __init__(self, name, clean=True, will=None, window=None):
        protocol = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}[VERSION]
        arguments = {} if VERSION == 5 else {"clean_session": clean}
        # MQTT 3.1 takes no longer id.
        client_id = hashlib.sha1(f"{BASE}/{name}".encode()).hexdigest()[:23]
        self.client = mqtt.Client(client_id, protocol=protocol, transport=TRANSPORT, **arguments)
        self.messages = []
        self.flags = None
        self.changed = threading.Condition()
        self.done = set()
        self.granted = {}
        self.client.on_message = self.on_message
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = self.on_subscribe
        self.client.on_unsubscribe = self.on_done
        self.client.on_publish = self.on_done
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        if window is not None:
            self.client.max_inflight_messages_set(window)
        if will is not None:
            self.client.will_set(f"{BASE}/{will}", "gone", qos=1)
        if TRANSPORT == "websockets":
            self.client.ws_set_options(path="/mqtt")
        if CA != "-":
            self.client.tls_set(CA)
        if VERSION == 5:
            properties = Properties(PacketTypes.CONNECT)
            if not clean:
                properties.SessionExpiryInterval = 600
            self.client.connect("localhost", PORT, clean_start=clean, properties=properties)
        else:
            self.client.connect("localhost", PORT)
        self.client.loop_start()
        self.until(lambda: self.flags is not None)

    def on_connect(self, _client, _userdata, flags, code, *_rest):
        with self.changed:
            if int(getattr(code, "value", code)) != 0:
                raise SystemExit(f"refused: {code}")
            self.flags = flags
            self.changed.notify_all()

    def on_message(self, _client, _userdata, message):
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def on_subscribe(self, _client, _userdata, mid, codes, *_rest):
        with self.changed:
            self.granted[mid] = [int(getattr(code, "value", code)) for code in codes]
            self.done.add(mid)
            self.changed.notify_all()

    def on_done(self, _client, _userdata, mid, *_rest):
        with self.changed:
            self.done.add(mid)
            self.changed.notify_all()

    def until(self, condition):
        with self.changed:
            if not self.changed.wait_for(condition, WAIT_SECONDS):
                raise SystemExit("nothing came within 30 s")

    def count(self, number):
        self.until(lambda: len(self.messages) >= number)
        return self.texts()

    def texts(self):
        return [message.payload.decode() for message in self.messages]

    def subscribe(self, topic, qos):
        _result, mid = self.client.subscribe(f"{BASE}/{topic}", qos)
        self.until(lambda: mid in self.done)
        return self.granted[mid]

    def publish(self, topic, payload, qos=1, retain=False, properties=None):
        arguments = {} if properties is None else {"properties": properties}
        return self.client.publish(f"{BASE}/{topic}", payload, qos, retain, **arguments).mid

    def published(self, topic, payload, **options):
        mid = self.publish(topic, payload, **options)
        self.until(lambda: mid in self.done)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def cut(self):
        """Ends the connection without a word, and does not come back."""
        self.client.loop_stop()
        self.client._sock_close()


def say(name, value):
    print(json.dumps({"name": name, "value": value}), flush=True)


def carries(qos):
    peer = Peer(f"q{qos}")
    granted = peer.subscribe(f"q{qos}", qos)
    for number in range(300):
        peer.publish(f"q{qos}", str(number), qos)
    texts = peer.count(300)
    say(f"qos {qos}", [granted, {message.qos for message in peer.messages} == {qos}, texts])
    peer.close()


def large():
    peer = Peer("large")
    peer.subscribe("large", 2)
    payload = bytes(range(256)) * 4000
    peer.publish("large", payload, 2)
    peer.until(lambda: len(peer.messages) == 1)
    say("large", peer.messages[0].payload == payload)
    peer.close()


def retained():
    peer = Peer("retained")
    for name in "abc":
        peer.published(f"retained/{name}", name, retain=True)
    peer.published("retained/b", b"", retain=True)
    peer.subscribe("retained/#", 1)
    peer.count(2)
    peer.published("retained/c", "live", retain=True)
    peer.count(3)
    say("retained", sorted([message.payload.decode(), bool(message.retain)] for message in peer.messages))
    peer.close()


def wills():
    watcher = Peer("watcher")
    watcher.subscribe("will/#", 1)
    Peer("polite", will="will/polite").close()
    Peer("cut", will="will/cut").cut()
    watcher.count(1)
    watcher.published("will/end", "end")
    watcher.count(2)
    say("will", [[message.topic[len(BASE) + 1 :], message.payload.decode()] for message in watcher.messages])
    watcher.close()


def session():
    first = Peer("session", clean=False)
    present = [first.flags["session present"]]
    first.subscribe("session", 2)
    first.close()
    other = Peer("other")
    for number in range(100):
        other.published("session", str(number), qos=number % 2 + 1)
    second = Peer("session", clean=False)
    present.append(second.flags["session present"])
    texts = second.count(100)
    say("session", [present, texts])
    second.close()
    other.close()


def cuts():
    """QoS 2 over cuts: paho repeats what was not answered."""
    watcher = Peer("cut-watcher")
    watcher.subscribe("cuts", 2)
    peer = Peer("cuts", clean=False, window=10)
    for number in range(400):
        peer.publish("cuts", str(number), 2)
    for mark in (50, 150):
        watcher.count(mark)
        raw = peer.client.socket()
        if raw is not None:
            try:
                getattr(raw, "_socket", raw).shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
    watcher.count(400)
    peer.until(lambda: len(peer.done) >= 400)
    watcher.published("cuts", "end", qos=2)
    say("cuts", watcher.count(401))
    peer.close()
    watcher.close()


def unsubscribed():
    peer = Peer("unsubscribed")
    peer.subscribe("gone", 1)
    peer.subscribe("stays", 1)
    _result, mid = peer.client.unsubscribe(f"{BASE}/gone")
    peer.until(lambda: mid in peer.done)
    peer.published("gone", "1")
    peer.published("stays", "2")
    say("unsubscribed", peer.count(1))
    peer.close()


def properties_of_5():
    peer = Peer("properties")
    options = SubscribeOptions(qos=1, noLocal=False, retainAsPublished=True)
    identifier = Properties(PacketTypes.SUBSCRIBE)
    identifier.SubscriptionIdentifier = 300
    _result, mid = peer.client.subscribe(f"{BASE}/properties", options=options, properties=identifier)
    peer.until(lambda: mid in peer.done)
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "answer/here"
    sent.CorrelationData = b"\x00\xff"
    sent.UserProperty = [("colour", "red"), ("colour", "blue"), ("size", "ü")]
    peer.published("properties", "x", retain=True, properties=sent)
    peer.count(1)
    got = peer.messages[0].properties
    say(
        "properties",
        [
            bool(peer.messages[0].retain),
            got.PayloadFormatIndicator,
            got.ContentType,
            got.ResponseTopic,
            got.CorrelationData.hex(),
            got.UserProperty,
            got.SubscriptionIdentifier,
        ],
    )
    peer.published("properties", b"", retain=True)
    peer.close()


def main():
    for qos in (0, 1, 2):
        carries(qos)
    large()
    retained()
    wills()
    session()
    # Over TLS a cut while it writes ends paho's own thread with an exception.
    if CA == "-":
        cuts()
    unsubscribed()
    if VERSION == 5:
        properties_of_5()


main()
