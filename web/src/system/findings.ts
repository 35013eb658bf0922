import type { Schemas } from "../api/client";

export type Finding = Schemas["Finding"];
export type Level = Schemas["FindingLevel"];

/** What a level's findings are. */
export interface LevelGroup {
  level: Level;
  findings: Finding[];
}

/** From what must be mended to what is well. */
const ORDER: readonly Level[] = ["problem", "warning", "ok"];

/** Findings by how bad they are, the worst first; levels without any are left out. */
export function byLevel(findings: readonly Finding[]): LevelGroup[] {
  return ORDER.map((level) => ({
    level,
    findings: findings.filter((it) => it.level === level),
  })).filter((group) => group.findings.length > 0);
}

/** The parts of the installation, those that are ill first; `detail`: what is wrong. */
export function partsOf(
  parts: Readonly<Record<string, string>>,
): { part: string; detail?: string }[] {
  return Object.entries(parts)
    .map(([part, says]) => (says === "ok" ? { part } : { part, detail: says }))
    .sort((one, other) => Number("detail" in other) - Number("detail" in one));
}

/** A part of a text: words, or what a program is told. */
export interface Piece {
  text: string;
  code: boolean;
}

/** A text whose commands stand between backticks, in parts. */
export const pieces = (text: string): Piece[] =>
  text
    .split("`")
    .map((part, index) => ({ text: part, code: index % 2 === 1 }))
    .filter((piece) => piece.text !== "");
