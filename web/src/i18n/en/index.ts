import { account } from "./account";
import { chats } from "./chats";
import { connect } from "./connect";
import { entry } from "./entry";
import { fleet } from "./fleet";
import { frame } from "./frame";
import { people } from "./people";
import { portal } from "./portal";
import { records } from "./records";
import { system } from "./system";
import { tenant } from "./tenant";
import { words } from "./words";

/** All texts in English, which is the language that the others are measured by. */
const en = {
  ...words,
  ...frame,
  ...fleet,
  ...tenant,
  ...chats,
  ...portal,
  ...connect,
  ...entry,
  ...people,
  ...records,
  ...system,
  ...account,
} as const;

export default en;
