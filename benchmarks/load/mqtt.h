// mqtt: the packets that a load needs, of MQTT 3.1.1 and 5 (`set.version`).
#ifndef DAVYLAMP_MQTT_H
#define DAVYLAMP_MQTT_H

#include <stddef.h>
#include <stdint.h>

enum packet_type {
  type_connack = 2, type_publish = 3, type_puback = 4, type_pubrec = 5, type_pubrel = 6, type_pubcomp = 7, type_suback = 9,
};

// Room for any packet that the functions below write.
enum { packet_room = 1280 };

typedef struct packet {
  uint8_t first;
  const uint8_t *body;
  size_t length; // of the body
} packet;

typedef struct publish_view {
  int qos;
  const uint8_t *topic, *packet_id, *payload; // `packet_id` is NULL at QoS 0
  size_t topic_length, payload_length;
} publish_view;

// Each writes a packet and returns its length.
size_t mqtt_connect(uint8_t *into, const char *client_id);
size_t mqtt_subscribe(uint8_t *into, const char *filter);
size_t mqtt_disconnect(uint8_t *into);
// Fixed header and topic of a message whose packet id (at QoS 1 and 2), properties and payload follow.
size_t mqtt_publish_head(uint8_t *into, const char *topic);

// The packet in front of `length` bytes; returns its whole length, 0 when it is not there yet.
size_t mqtt_next(const uint8_t *bytes, size_t length, packet *next);
// Ends the program when the packet is too short.
publish_view mqtt_view_publish(const packet *p);
// Ends the program when the broker says no with a CONNACK, SUBACK, PUBACK, PUBREC, PUBREL or PUBCOMP.
void mqtt_check_answer(const packet *p);

#endif
