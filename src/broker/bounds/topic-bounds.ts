import { ReasonCode, utf8Length } from '#mqtt';
import { topicFilterFault, topicNameFault } from '#topics';
import type { BrokerCore } from '../core.ts';

/** What is wrong with a topic that a client gave, its bounds included; those are counted. */
export function clientTopicFault(core: BrokerCore, topic: string): ReasonCode {
  if (isTooLong(core, topic)) return ReasonCode.TopicNameInvalid;
  const fault = topicNameFault(topic, core.limits.maximumTopicLevels);
  if (fault !== ReasonCode.Success) countLevels(core, topic);
  return fault;
}

/** The same of a filter. */
export function clientFilterFault(core: BrokerCore, filter: string): ReasonCode {
  if (isTooLong(core, filter)) return ReasonCode.TopicFilterInvalid;
  const fault = topicFilterFault(filter, core.limits.maximumTopicLevels);
  if (fault !== ReasonCode.Success) countLevels(core, filter);
  return fault;
}

function isTooLong(core: BrokerCore, text: string): boolean {
  const { maximumTopicLength } = core.limits;
  // At most three bytes for each unit of a string: nearly every topic is short enough without being measured.
  if (text.length * 3 <= maximumTopicLength) return false;
  if (text.length <= maximumTopicLength && utf8Length(text) <= maximumTopicLength) return false;
  core.statistics.reached['topic-length']++;
  return true;
}

/** Of an invalid topic: was it the depth? */
function countLevels(core: BrokerCore, text: string): void {
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) levels++;
  if (levels > core.limits.maximumTopicLevels) core.statistics.reached['topic-levels']++;
}
