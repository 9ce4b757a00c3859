// websocket: the client's half of RFC 6455, as far as MQTT needs it: the upgrade, binary frames, pings.
#ifndef DAVYLAMP_WEBSOCKET_H
#define DAVYLAMP_WEBSOCKET_H

#include "stream.h"

// Asks for the upgrade to `mqtt` on the endpoint's path.
void websocket_request(stream *s, const endpoint *to);
// Reads the answer: `stream_in_upgrade` while it is not whole. Ends the program when the broker says no.
enum stream_phase websocket_answer(stream *s);
// Makes one masked frame of all that the application has put.
void websocket_frame(stream *s);
// Takes frames apart. False: the broker has closed the connection.
bool websocket_feed(stream *s, const uint8_t *bytes, size_t length, consumer consume, void *owner);

#endif
