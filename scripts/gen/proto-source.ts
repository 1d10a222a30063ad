// Reads the messages of a generated.proto: name → field name → number. Used to check the struct tags against.

export type ProtoMessages = Map<string, Map<string, number>>;

export const readProtoMessages = (text: string): ProtoMessages => {
  const messages: ProtoMessages = new Map();
  let fields: Map<string, number> | undefined;
  for (const line of text.split("\n")) {
    const open = /^message (\w+) \{/.exec(line);
    if (open) {
      fields = new Map();
      messages.set(open[1] ?? "", fields);
    }
    const field = /^ {2}(?:optional |repeated |map<)[\w.<>, ]+ (\w+) = (\d+);/.exec(line);
    if (field) fields?.set(field[1] ?? "", Number(field[2]));
  }
  return messages;
};
