const LONGEST_LINE = 65_536;

/** Cuts a stream of text into lines; an endless line is cut too, so memory stays bounded. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split(/\r?\n/);
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
        if (rest.length > LONGEST_LINE) {
          controller.enqueue(rest);
          rest = "";
        }
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
