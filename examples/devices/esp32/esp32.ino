// A device on an ESP32: executes commands and answers them, over MQTT 3.1.1.
// NOT RUN HERE: the suite has no such board. Read it as a pattern, and try it on yours.
//
// Arduino IDE, board "ESP32 Dev Module", libraries: PubSubClient 2.8 (Nick O'Leary), ArduinoJson 7.
// The messenger must send documents, because 3.1.1 has no properties: MQTT_PAYLOAD=json.
#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <PubSubClient.h>
#include <ArduinoJson.h>
#include <time.h>

const char* WIFI_NAME = "network";
const char* WIFI_PASSWORD = "secret";
const char* BROKER = "broker.example";
const uint16_t BROKER_PORT = 8883;
const char* IMEI = "26372637216372637126376237";  // also user and client identifier
const char* PASSWORD = "secret of the device";
const int GATE_PIN = 5;

// The authority that signed the certificate of the broker. Without it anybody could be the broker.
const char* AUTHORITY = R"(-----BEGIN CERTIFICATE-----
... paste it here ...
-----END CERTIFICATE-----)";

WiFiClientSecure tls;
PubSubClient client(tls);

// The last commands: QoS 1 is "at least once". After a restart of the board they are forgotten;
// where that matters, keep them in flash (Preferences.h).
const int RECENT = 32;
String recent[RECENT];
int nextRecent = 0;

bool cameBefore(const String& id) {
  for (const String& known : recent) {
    if (known == id) return true;
  }
  recent[nextRecent] = id;
  nextRecent = (nextRecent + 1) % RECENT;
  return false;
}

bool execute(const String& microOp) {
  if (microOp != "push_down") return false;
  digitalWrite(GATE_PIN, HIGH);
  delay(500);
  digitalWrite(GATE_PIN, LOW);
  return true;
}

void onCommand(char* topic, byte* payload, unsigned int length) {
  JsonDocument command;
  // The payload is copied: publishing below uses the buffer that it lies in.
  if (deserializeJson(command, (const byte*)payload, length)) return;
  const String id = command["id"] | "";
  const String microOp = command["micro_op"] | "";
  const String replyTo = command["reply_to"] | "";
  const long long expiresAt = command["expires_at"] | 0LL;
  if (id == "" || cameBefore(id)) return;

  if ((long long)time(nullptr) > expiresAt) return;  // too late

  const bool ok = execute(microOp);
  if (replyTo == "") return;  // nobody waits
  JsonDocument reply;
  reply["id"] = id;
  reply["result"]["ok"] = ok;
  reply["result"]["imei"] = IMEI;
  char text[256];
  serializeJson(reply, text, sizeof text);
  // PubSubClient publishes with QoS 0: an answer may be lost, and the caller is then told 504.
  client.publish(replyTo.c_str(), text);
}

void setup() {
  Serial.begin(115200);
  pinMode(GATE_PIN, OUTPUT);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(200);
  configTime(0, 0, "pool.ntp.org");  // for TLS, and for expires_at
  // The clock says 1970 until an answer has come, and then nobody knows whether a command is late. So it is waited
  // for before the first connection: the broker delivers what it kept as soon as there is one.
  while (time(nullptr) < 1700000000) delay(200);
  tls.setCACert(AUTHORITY);
  client.setServer(BROKER, BROKER_PORT);
  client.setBufferSize(1024);  // 256 by default: a document with reply_to is longer
  client.setCallback(onCommand);
}

void loop() {
  if (!client.connected()) {
    // The last argument, cleanSession false: the broker keeps commands while we are away.
    if (client.connect(IMEI, IMEI, PASSWORD, nullptr, 0, false, nullptr, false)) {
      const String topic = String("devices/") + IMEI + "/commands";
      client.subscribe(topic.c_str(), 1);
    } else {
      Serial.printf("not connected: %d\n", client.state());
      delay(random(1000, 5000));  // not all boards at once
    }
  }
  client.loop();
}
