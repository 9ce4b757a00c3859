import { ReasonCode } from '#mqtt';
import { sharePrefix } from './share.ts';

const nul = 0x00;
const hash = 0x23;
const plus = 0x2b;
const slash = 0x2f;

/**
 * What is wrong with a topic name: `Success`, or `TopicNameInvalid` for an empty name, a wildcard, U+0000, half a
 * surrogate pair (1.5.4) or more than `maximumLevels` levels (MQTT 5, 4.7.3). Nothing is allocated.
 */
export function topicNameFault(topic: string, maximumLevels: number): ReasonCode {
  if (topic.length === 0) return ReasonCode.TopicNameInvalid; // [MQTT-4.7.3-1]
  let levels = 1;
  for (let i = 0; i < topic.length; i++) {
    const char = topic.charCodeAt(i);
    if (char > slash) continue;
    if (char === slash) levels++;
    else if (char === plus || char === hash || char === nul) return ReasonCode.TopicNameInvalid; // [MQTT-3.3.2-2], [MQTT-4.7.3-2]
  }
  const isFit = levels <= maximumLevels && topic.isWellFormed(); // [MQTT-1.5.4-1]
  return isFit ? ReasonCode.Success : ReasonCode.TopicNameInvalid;
}

/**
 * What is wrong with a topic filter: `Success` or `TopicFilterInvalid` (MQTT 5, 4.7.1, 4.7.3 and 4.8.2). A shared
 * filter is checked in both its parts; `maximumLevels` counts the levels of the filter inside.
 */
export function topicFilterFault(filter: string, maximumLevels: number): ReasonCode {
  if (!filter.isWellFormed()) return ReasonCode.TopicFilterInvalid; // [MQTT-1.5.4-1]
  if (!filter.startsWith(sharePrefix)) return plainFilterFault(filter, 0, maximumLevels);
  const end = filter.indexOf('/', sharePrefix.length);
  if (end <= sharePrefix.length) return ReasonCode.TopicFilterInvalid; // [MQTT-4.8.2-1]
  for (let i = sharePrefix.length; i < end; i++) {
    const char = filter.charCodeAt(i);
    if (char === plus || char === hash || char === nul) return ReasonCode.TopicFilterInvalid; // [MQTT-4.8.2-2]
  }
  // A share of a share means nothing, and whoever strips only one prefix would judge another filter than is used.
  if (filter.startsWith(sharePrefix, end + 1)) return ReasonCode.TopicFilterInvalid;
  return plainFilterFault(filter, end + 1, maximumLevels);
}

function plainFilterFault(filter: string, start: number, maximumLevels: number): ReasonCode {
  const end = filter.length;
  if (start >= end) return ReasonCode.TopicFilterInvalid;
  let levels = 1;
  for (let i = start; i < end; i++) {
    const char = filter.charCodeAt(i);
    if (char > slash) continue;
    if (char === slash) levels++;
    else if (char === nul) return ReasonCode.TopicFilterInvalid;
    else if (char === plus || char === hash) {
      if (i > start && filter.charCodeAt(i - 1) !== slash) return ReasonCode.TopicFilterInvalid; // [MQTT-4.7.1-1], [MQTT-4.7.1-2]
      const last = i + 1 === end;
      if (!last && (char === hash || filter.charCodeAt(i + 1) !== slash))
        return ReasonCode.TopicFilterInvalid;
    }
  }
  return levels > maximumLevels ? ReasonCode.TopicFilterInvalid : ReasonCode.Success;
}
