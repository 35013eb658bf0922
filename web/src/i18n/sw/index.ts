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

import type en from "../en";
import type { Message } from "../message";

/** All texts in Swahili. */
const sw: Record<keyof typeof en, Message> = {
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
};

export default sw;
