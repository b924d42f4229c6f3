"""A device in Python: executes the commands that the messenger sends it, and answers them.

Needs paho-mqtt, 1.6 (Debian 12: apt install python3-paho-mqtt) or later.

    python3 device.py 26372637216372637126376237 --host 127.0.0.1
"""
import argparse
import collections
import json
import random
import signal
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

# As long as the longest ttl: for longer the broker has nothing to keep for us.
SESSION_EXPIRY_S = 86400


def execute(micro_op):
    """What the device does. The result becomes the answer: anything that JSON can say."""
    print(f"executing {micro_op}", flush=True)
    return {"ok": True, "micro_op": micro_op}


class Device:
    def __init__(self, options):
        self.options = options
        self.topic = options.topic.replace("{imei}", options.imei)
        # QoS 1 is "at least once": the broker may deliver a command again.
        self.recent = collections.deque(maxlen=1000)
        self.is_mqtt5 = options.protocol == "5"
        # The client identifier stays the same: by it the broker finds our session again.
        settings = {"client_id": options.imei, "protocol": mqtt.MQTTv5 if self.is_mqtt5 else mqtt.MQTTv311}
        if not self.is_mqtt5:
            settings["clean_session"] = False
        if hasattr(mqtt, "CallbackAPIVersion"):  # paho-mqtt 2
            settings["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION1
        self.client = mqtt.Client(**settings)
        # Random, so that not all devices come back in one moment; doubled after each failure.
        self.client.reconnect_delay_set(min_delay=random.randint(1, 5), max_delay=120)
        self.client.on_connect = self.on_connect
        self.client.on_connect_fail = self.on_connect_fail
        self.client.on_disconnect = self.on_disconnect
        self.client.on_subscribe = self.on_subscribe
        self.client.on_message = self.on_message
        if options.username is not None:
            self.client.username_pw_set(options.username, options.password)
        if options.ca_file is not None:
            self.client.tls_set(ca_certs=options.ca_file)

    def run(self):
        # A session that outlives the connection: commands wait for us at the broker until their ttl is over.
        session = {}
        if self.is_mqtt5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            session = {"clean_start": False, "properties": properties}
        self.client.connect_async(self.options.host, self.options.port, keepalive=60, **session)
        # Connects, and again whenever the connection is lost.
        self.client.loop_forever(retry_first_connection=True)

    def on_connect(self, client, userdata, flags, reason, properties=None):
        if reason != 0:
            print(f"not connected: {reason}", file=sys.stderr, flush=True)
            return
        client.subscribe(self.topic, qos=1)

    def on_connect_fail(self, client, userdata):
        # paho keeps what went wrong: the broker is away, its name is unknown, or its certificate not trusted.
        print(f"not connected: no broker at {self.options.host}:{self.options.port}, or none that is trusted", file=sys.stderr, flush=True)

    def on_disconnect(self, client, userdata, reason, properties=None):
        if reason != 0:
            print(f"the connection is lost: {reason}", file=sys.stderr, flush=True)

    def on_subscribe(self, client, userdata, mid, granted, properties=None):
        # Numbers over MQTT 3.1.1, objects with a value over MQTT 5.
        if any(getattr(code, "value", code) >= 0x80 for code in granted):
            print(f"the broker refuses the subscription to {self.topic}", file=sys.stderr, flush=True)
            return
        print(f"waiting for commands on {self.topic}", flush=True)

    def on_message(self, client, userdata, message):
        # Whatever comes, an exception here would end the device.
        try:
            self.receive(message)
        except Exception as error:
            print(f"dropped a message that is not understood: {error!r}", flush=True)

    def receive(self, message):
        text = message.payload.decode()
        document = read_document(text)
        properties = getattr(message, "properties", None)
        command_id = document.get("id") or dict(getattr(properties, "UserProperty", [])).get("id")
        micro_op = document.get("micro_op", text)

        if command_id is not None:
            if command_id in self.recent:
                print(f"dropped {micro_op}: it came before", flush=True)
                return
            self.recent.append(command_id)
        # Needs a clock that is right (NTP). Whole seconds: expires_at was rounded down.
        expires_at = document.get("expires_at")
        if expires_at is not None and int(time.time()) > expires_at:
            print(f"dropped {micro_op}: it came too late", flush=True)
            return

        try:
            result = execute(micro_op)
        except Exception as error:
            # The id is remembered: it will not be tried again, so the caller is to know.
            print(f"{micro_op} failed: {error!r}", file=sys.stderr, flush=True)
            result = {"ok": False, "error": str(error)}
        self.answer(properties, document, command_id, result)

    def answer(self, properties, document, command_id, result):
        response_topic = getattr(properties, "ResponseTopic", None)
        correlation_data = getattr(properties, "CorrelationData", None)
        if response_topic is not None and correlation_data is not None:
            # MQTT 5: the answer alone, and the Correlation Data says which command it is for.
            reply = Properties(PacketTypes.PUBLISH)
            reply.CorrelationData = correlation_data
            reply.ContentType = "application/json"
            self.client.publish(response_topic, json.dumps(result), qos=1, properties=reply)
        elif document.get("reply_to") is not None:
            # MQTT 3.1.1 (MQTT_PAYLOAD=json): the answer and the id of the command.
            self.client.publish(document["reply_to"], json.dumps({"id": command_id, "result": result}), qos=1)


def read_document(text):
    """The members of a json payload; none where the payload is the bare operation."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def read_options():
    parser = argparse.ArgumentParser(description="A device that executes and answers commands.")
    parser.add_argument("imei")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default="5")
    parser.add_argument("--topic", default="devices/{imei}/commands", help="MQTT_TOPIC of the messenger")
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--ca-file", help="PEM file of the authority that the broker is trusted by; turns TLS on")
    return parser.parse_args()


if __name__ == "__main__":
    device = Device(read_options())
    # Says DISCONNECT, which ends loop_forever.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: device.client.disconnect())
    device.run()
