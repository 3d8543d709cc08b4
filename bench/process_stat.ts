/** What the kernel says of a process. Linux alone has these files. */

/** A tick of the clock in which the kernel counts CPU time; 100 a second on every Linux. */
const TICK_MS = 10;

/** CPU time that all threads of a process have used so far. */
export async function cpuMs(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The largest resident memory a process has had so far, in mebibytes. */
export function peakMemoryMib(pid: number): Promise<number> {
  return readMib(pid, "VmHWM");
}

/** The resident memory of a process, in mebibytes. */
export function memoryMib(pid: number): Promise<number> {
  return readMib(pid, "VmRSS");
}

/** Of the resident memory of a process, what no file and no other process shares, in mebibytes. */
export function ownMemoryMib(pid: number): Promise<number> {
  return readMib(pid, "RssAnon");
}

async function readMib(pid: number, field: "VmHWM" | "VmRSS" | "RssAnon"): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`Cannot read ${field} of process ${pid}`);
  return Number(kibibytes) / 1024;
}
