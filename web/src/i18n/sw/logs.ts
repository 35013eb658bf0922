import type { logs as english } from "../en/logs";
import type { Message } from "../message";

export const logs: Record<keyof typeof english, Message> = {
  "logs.search": "Tafuta katika kumbukumbu",
  "logs.level": "Uzito",
  "logs.level.all": "Mistari yote",
  "logs.level.debug": "Uchunguzi na zaidi",
  "logs.level.info": "Taarifa na zaidi",
  "logs.level.warn": "Maonyo na hitilafu",
  "logs.level.error": "Hitilafu pekee",
  "logs.pause": "Sitisha",
  "logs.resume": { one: "Endelea ({n} unasubiri)", other: "Endelea ({n} inasubiri)" },
  "logs.follow": "Nenda mwisho",
  "logs.following": "Inafuata mwisho",
  "logs.lines": "Mistari ya kumbukumbu",
  "logs.line": "Mstari wa kumbukumbu",
  "logs.count": { one: "Mstari {n}", other: "Mistari {n}" },
  "logs.chosen": { one: "Mstari {n} kati ya {all}", other: "Mistari {n} kati ya {all}" },
  "logs.most": "mipya {n} tu inahifadhiwa hapa; pakua ili kupata zaidi",
  "logs.none": "Bado hakuna kumbukumbu",
  "logs.none.about": "Boti haijawahi kuanzishwa. Ianzishe, na kumbukumbu yake itakuwa hapa.",
  "logs.empty": "Kumbukumbu ni tupu",
  "logs.empty.about": "Boti ikiandika kitu, kitaonekana hapa.",
  "logs.notFound": "Hakuna mstari unaofaa",
  "logs.notFound.about": "Tafuta kwa maneno machache, au chagua uzito mwingine.",
};
