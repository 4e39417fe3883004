interface Family {
  readonly head: string[];
  readonly samples: string[];
}

/**
 * Metrics of several processes, each in Prometheus' text form, as one text: every family once with its help and type, every sample with the label
 * `worker` in front of its own. Prometheus adds workers up, or tells them apart, as it does with targets.
 */
export function mergedMetrics(texts: ReadonlyMap<string, string>): string {
  const families = new Map<string, Family>();
  for (const [worker, text] of texts) {
    let name = '';
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const head = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (head !== null) name = head[1] ?? '';
      const family = families.get(name) ?? { head: [], samples: [] };
      families.set(name, family);
      if (head === null) family.samples.push(labelled(line, worker));
      else if (!family.head.includes(line)) family.head.push(line);
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples, '']).join('\n');
}

/** Braces that open labels come before the first space: values of labels may contain both. */
function labelled(line: string, worker: string): string {
  const name = /^[A-Za-z_:][\w:]*/.exec(line)?.[0] ?? '';
  const rest = line.slice(name.length);
  return rest.startsWith('{') ? `${name}{worker="${worker}"${rest[1] === '}' ? '' : ','}${rest.slice(1)}` : `${name}{worker="${worker}"}${rest}`;
}
