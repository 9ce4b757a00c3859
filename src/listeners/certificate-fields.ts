import type { X509Certificate } from 'node:crypto';
import { contentOf, elementsOf } from './der.ts';

/** Tags of optional fields of a certificate (RFC 5280, 4.1). */
const versionTag = 0xa0;
const extensionsTag = 0xa3;

const basicConstraints = Buffer.from('0603551d13', 'hex');

/** The fields of a certificate's body, beginning with the serial number: 0 serial, 2 issuer, 4 subject. */
function fieldsOf(certificate: X509Certificate): readonly Buffer[] {
  const [whole] = elementsOf(certificate.raw);
  const [body] = elementsOf(contentOf(whole));
  const fields = elementsOf(contentOf(body));
  return fields[0]?.[0] === versionTag ? fields.slice(1) : fields;
}

/** The issuer's name as it stands in the certificate, DER. */
export function issuerName(certificate: X509Certificate): Buffer {
  return fieldsOf(certificate)[2] ?? Buffer.alloc(0);
}

/** The values in the subject's names, type and length before each, in their order. */
export function subjectValues(certificate: X509Certificate): Buffer[] {
  return elementsOf(contentOf(fieldsOf(certificate)[4])).flatMap((set) =>
    elementsOf(contentOf(set)).flatMap((pair) => elementsOf(contentOf(pair)).slice(1, 2)),
  );
}

/** How many authorities may stand between this one and an end certificate; `undefined` = any number. */
export function pathLength(authority: X509Certificate): number | undefined {
  const wrapper = fieldsOf(authority).find((field) => field[0] === extensionsTag);
  const [list] = elementsOf(contentOf(wrapper));
  for (const extension of elementsOf(contentOf(list))) {
    const parts = elementsOf(contentOf(extension));
    if (parts[0]?.equals(basicConstraints) !== true) continue;
    const [constraints] = elementsOf(contentOf(parts.at(-1)));
    const length = elementsOf(contentOf(constraints)).find((part) => part[0] === 2);
    return length === undefined ? undefined : Number(`0x${contentOf(length).toString('hex')}`);
  }
  return undefined;
}
