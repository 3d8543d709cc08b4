import { dirname, join } from "node:path";
import { repositoryRoot } from "../local/paths.ts";
import type { TestOptions } from "./test_options.ts";

/** Test files that one process runs, one after the other. */
export interface TestGroup {
  readonly name: string;
  readonly files: readonly string[];
}

/** The test files of a run, by what may run beside them. */
export interface GroupedTests {
  /** They need a database to themselves, and may have company otherwise. */
  readonly shared: readonly TestGroup[];
  /** They measure time or memory: nothing runs beside them. */
  readonly alone: readonly TestGroup[];
  /** They boot stacks of their own and wait for the clock most of the time. */
  readonly endToEnd: readonly TestGroup[];
}

/** Test files and folders that would measure their company as well if they had any. */
export const RUN_ALONE: readonly string[] = ["tests/sync/volume_test.ts"];

/** Where single files take long: each is a group, and they come first so that lanes end together. */
const LONG = /^tests\/(?:sync|scripts|local\/database)\//;

/** Divides the tests that `options` asks for into groups, the longest first. */
export async function groupTests(
  { paths, endToEndPaths }: Pick<TestOptions, "paths" | "endToEndPaths">,
): Promise<GroupedTests> {
  const files = await testFiles(paths);
  const isAlone = (file: string) => RUN_ALONE.some((path) => isWithin(file, path));
  const isLong = (file: string) => LONG.test(file);
  const shared = files.filter((file) => !isAlone(file));
  return {
    shared: [
      ...shared.filter(isLong).map(groupOfOne),
      ...groupByFolder(shared.filter((file) => !isLong(file))),
    ],
    alone: files.filter(isAlone).map(groupOfOne),
    endToEnd: (await testFiles(endToEndPaths)).map(groupOfOne),
  };
}

/** The test files in the given files and folders, each once. */
export async function testFiles(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    for (const file of await filesBelow(path)) found.add(file);
  }
  return [...found].sort();
}

async function filesBelow(path: string): Promise<string[]> {
  // What does not exist is for the test runner to complain of.
  const info = await Deno.stat(join(repositoryRoot(), path)).catch(() => null);
  if (!info?.isDirectory) return [path];
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(repositoryRoot(), path))) {
    if (isDirectory) files.push(...await filesBelow(`${path}/${name}`));
    else if (name.endsWith("_test.ts")) files.push(`${path}/${name}`);
  }
  return files;
}

function groupByFolder(files: readonly string[]): TestGroup[] {
  const folders = Map.groupBy(files, dirname);
  return [...folders].map(([name, members]) => ({ name, files: members }));
}

function groupOfOne(file: string): TestGroup {
  return { name: file, files: [file] };
}

function isWithin(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
