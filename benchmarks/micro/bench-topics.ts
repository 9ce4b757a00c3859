/** As the decoder makes them: whole in one place. What a template makes is a tree of pieces, and slower to look at. */
function flat(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** As a real network has them: mostly one filter for each device's commands, some wildcards for each site. */
export function filterOf(i: number): string {
  if (i % 100 === 0) return flat(`davy/v1/tenant/site${i}/+/reading`);
  if (i % 100 === 1) return flat(`davy/v1/tenant/site${i}/#`);
  return flat(`davy/v1/tenant/site${i % 1000}/device${i}/command/+`);
}

/** Topics spread over the whole tree of `filters` such filters, so that the processor's caches help no more than they would. */
export function topicsOf(filters: number, count: number): string[] {
  return Array.from({ length: count }, (_, place) => {
    const i = (place * 7919) % filters;
    return flat(`davy/v1/tenant/site${i % 1000}/device${i}/command/Request`);
  });
}
