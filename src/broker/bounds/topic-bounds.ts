import { ReasonCode, utf8Length } from '#mqtt';
import { topicFilterFault, topicNameFault } from '#topics';
import type { Connection } from '../connection.ts';

/** What is wrong with a topic that a client gave, its bounds included; those are counted. */
export function clientTopicFault(connection: Connection, topic: string): ReasonCode {
  if (isTooLong(connection, topic)) return ReasonCode.TopicNameInvalid;
  const fault = topicNameFault(topic, connection.limits.maximumTopicLevels);
  if (fault !== ReasonCode.Success) countLevels(connection, topic);
  return fault;
}

/** The same of a filter. */
export function clientFilterFault(connection: Connection, filter: string): ReasonCode {
  if (isTooLong(connection, filter)) return ReasonCode.TopicFilterInvalid;
  const fault = topicFilterFault(filter, connection.limits.maximumTopicLevels);
  if (fault !== ReasonCode.Success) countLevels(connection, filter);
  return fault;
}

function isTooLong(connection: Connection, text: string): boolean {
  const { maximumTopicLength } = connection.limits;
  // At most three bytes for each unit of a string: nearly every topic is short enough without being measured.
  if (text.length * 3 <= maximumTopicLength) return false;
  if (text.length <= maximumTopicLength && utf8Length(text) <= maximumTopicLength) return false;
  connection.core.statistics.reached['topic-length']++;
  return true;
}

/** Of an invalid topic: was it the depth? */
function countLevels(connection: Connection, text: string): void {
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) levels++;
  if (levels > connection.limits.maximumTopicLevels) connection.core.statistics.reached['topic-levels']++;
}
