// What goes over the wire, written by `npm run contract` out of a messenger's /openapi.json and /asyncapi.json.
// Do not edit it.

/** One line; stored in Unicode's composed form, without the space around it. */
export type About = string;

/** A person as they see themselves. */
export type Account = {
  /** What they say about themselves; left out if nothing. */
  about?: string;
  /** The person's picture; left out if they have none. */
  avatar_id?: FileId;
  created_at: Timestamp;
  /** Not shown to anybody else. */
  email: string;
  id: UserId;
  name: string;
  username: string | null;
  who_may_add: WhoMayAdd;
};

/** `PATCH /users/me`. What is left out stays as it is. */
export type AccountChange = {
  about?: About | null;
  avatar_id?: FileId | null;
  name?: Name;
  username?: Username | null;
  who_may_add?: WhoMayAdd;
};

/** What a client sends over the socket. */
export type Action = {
  action: "joinChat";
  /** This device has opened the chat, and is sent who types in it. */
  data: Focus;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
} | {
  action: "leaveChat";
  /** This device has closed the chat. */
  data: Focus;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
} | {
  action: "markRead";
  /** Moves the person's read cursor. */
  data: MarkRead;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
} | {
  action: "ping";
  /** Asks of which chats this client does not hold the current revision. */
  data?: Ping;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
} | {
  action: "sendMessage";
  /** Sends a message to a chat. */
  data: SendMessage;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
} | {
  action: "typing";
  /** Shows the others that the person is typing, or no longer. */
  data: Typing;
  /** The client's own id for the request, at most 128 bytes, echoed in the answer. */
  request_id?: string;
};

/** `POST /files`. */
export type AnnouncedFile = {
  file: File;
  upload: Upload;
};

/** `GET /chats/{chat_id}/changes`. */
export type Changes = {
  /** The chat as it is now, with its members and their cursors. */
  chat: ChatWithMembers;
  /** Whether to ask again from that revision. */
  has_more: boolean;
  /** The messages changed since, each as it is now, in order of revision. */
  messages: Message[];
  /** The revision that the client holds after applying this. */
  revision: number;
};

/** A chat, the same for every member. `ListedChat` and `ChatWithMembers` have these fields and more. */
export type Chat = {
  created_at: Timestamp;
  created_by: UserId;
  /** What a group is about; left out if it does not say. */
  description?: string;
  id: ChatId;
  kind: ChatKind;
  /** The newest message's number; 0 if there are none. */
  last_message_id: number;
  /** Null for a private chat, which each of the two sees under the other's name. */
  name: string | null;
  /** The group's picture; left out if it has none. */
  picture_id?: FileId;
  /** The latest pinned last; left out if there are none. */
  pinned_message_ids?: number[];
  /** Who writes in a group; left out if it is everyone. */
  posting?: Posting;
  /** How many changes the chat has had; its creation is the first. */
  revision: number;
  /** How many seconds an ordinary member of a group waits between two messages; left out if they need not. */
  slow_seconds?: number;
};

/** `PATCH /chats/{chat_id}`. What is left out stays as it is. */
export type ChatChange = {
  description?: Description | null;
  name?: Name;
  picture_id?: FileId | null;
  posting?: Posting;
  /** 0 takes it away. */
  slow_seconds?: number;
};

export type ChatCreated = {
  by: UserId;
  chat: ChatWithMembers;
  chat_id: ChatId;
  revision: number;
};

export type ChatDissolved = {
  by: UserId;
  chat_id: ChatId;
  revision: number;
};

/** What a service entry tells of; `sender_id` has done it. */
export type ChatEvent = {
  type: "member_added";
  user_id: UserId;
} | {
  type: "member_removed";
  user_id: UserId;
} | {
  type: "member_left";
} | {
  role: Role;
  type: "role_changed";
  user_id: UserId;
} | {
  type: "member_joined";
} | {
  /** The new name. */
  name: string;
  type: "group_renamed";
} | {
  type: "description_changed";
} | {
  type: "picture_changed";
} | {
  posting: Posting;
  type: "posting_changed";
} | {
  /** How long a member waits between two messages; 0 for not at all. */
  slow_seconds: number;
  type: "slow_mode_changed";
} | {
  message_id: number;
  type: "message_pinned";
};

export type ChatId = string;

/** The state of a chat that this device has opened. */
export type ChatJoined = {
  chat: ChatWithMembers;
  presence: UserStatus[];
};

export type ChatKind = "private" | "group";

export type ChatLeft = {
  chat_id: ChatId;
};

/** `GET /chats`. */
export type ChatList = {
  chats: ListedChat[];
  /** The `?after=` of the next page; null on the last page. */
  next: string | null;
};

/** What a chat is to the person who asks. Nobody else is told. */
export type ChatSettings = {
  /** Whether it is put away. */
  archived: boolean;
  /** Whether it is off the list until its next message; left out if it is not. */
  hidden?: boolean;
  /** If it is hidden: its last message then. It is back with the next one. */
  hidden_at_id?: number;
  /** Whether it is shown as unread although it is not. */
  marked_unread: boolean;
  muted_until: Timestamp | null;
};

export type ChatUpdated = {
  by: UserId;
  /** The chat as it is now. */
  chat: Chat;
  chat_id: ChatId;
  /** The service entry that tells of it in the history, with the same revision; left out if there is none. */
  entry?: Message;
  /** The chat's revision after this change. */
  revision: number;
};

export type ChatWithMembers = Chat & {
  /** In the order they joined. Left out of frames for a group with more than 100; always present over HTTP. */
  members?: Member[];
};

/** `PUT /messages/{chat_id}/{message_id}/reactions`. */
export type ChosenReactions = {
  /** All that the caller reacts with from now on, up to three; none takes back what there was. */
  reactions: Emoji[];
};

/** The sender's idempotency key: a send can be repeated with it at any time. A UUID will do. */
export type ClientMessageId = string;

/** At least one visible character; line breaks are stored as \n. */
export type Description = string;

/** What a message may have besides its text; stored as it is sent. A field is left out if the message does not have it. */
export type Details = {
  /** In a service entry: what `sender_id` has done. */
  event?: ChatEvent;
  files?: File[];
  forwarded_from?: Origin;
  /** The members whose `@username` is in the text. */
  mentions?: UserId[];
  /** In the order in which they first occurred. */
  reactions?: Reaction[];
  reply_to?: Quote;
};

/** An e-mail address of at most 254 bytes; an internationalised host is stored in Unicode. */
export type Email = string;

/** `POST /users/me/email/confirm`. */
export type EmailConfirmation = {
  /** As it was mailed; in any case, with or without the hyphen. */
  code: string;
};

/** One emoji that Unicode recommends for interchange, such as 👍. */
export type Emoji = string;

/** An https URL with the name of a public host, without a port or a user. */
export type Endpoint = string;

/** An error: the body over HTTP, or the data of an `error` frame on the socket. */
export type ErrorBody = {
  /** On the socket: the action that failed, if it could be read. */
  action?: string;
  /** On the socket: the key of the send that failed, if it could be read. */
  client_message_id?: string;
  code: ErrorCode;
  /** For people to read; it may change. */
  message: string;
  /** Over HTTP, the gateway's id for the request. On the socket, the client's id if it gave one, else the gateway's. */
  request_id: string;
  /** How many seconds to wait before trying again. */
  retry_after?: number;
};

/** The codes of errors; there may be more with time. */
export type ErrorCode =
  | "malformed_json"
  | "unknown_action"
  | "unauthorized"
  | "invalid_credentials"
  | "session_ended"
  | "password_changed"
  | "wrong_password"
  | "invalid_code"
  | "forbidden"
  | "chat_not_found"
  | "not_reachable"
  | "user_not_found"
  | "invite_not_found"
  | "message_not_found"
  | "member_not_found"
  | "session_not_found"
  | "method_not_allowed"
  | "file_not_found"
  | "not_uploaded"
  | "file_refused"
  | "message_deleted"
  | "group_full"
  | "too_many_reactions"
  | "too_many_pins"
  | "email_taken"
  | "username_taken"
  | "idempotency_conflict"
  | "payload_too_large"
  | "unsupported_media_type"
  | "invalid_field"
  | "too_many_invites"
  | "too_many_blocked"
  | "slow_mode"
  | "rate_limited"
  | "too_many_attempts"
  | "too_many_connections"
  | "unavailable"
  | "internal"
  | "mail_disabled"
  | "push_disabled";

/** `GET /export`: a page of what is a person's own. The first page has the account, the sessions and those who are blocked; then come the chats, also those that are hidden, and then the person's own words, chat by chat. */
export type Export = {
  account?: Account;
  blocked?: Person[];
  chats?: ListedChat[];
  /** May be left out of a page that another one follows. */
  messages?: Message[];
  /** The `?after=` of the next page; null on the last page. */
  next: string | null;
  sessions?: Session[];
};

/** `POST /users/me/delete`. */
export type Farewell = {
  password: string;
};

/** A file as those see it who may have it. `GET /files` tells where its contents are. */
export type File = {
  content_type: string;
  height?: number;
  id: FileId;
  name: string;
  /** A tiny picture of at most 32 by 32 pixels, in base64: a JPEG, PNG, GIF or WebP, as its first bytes tell. */
  preview?: string;
  /** In bytes. */
  size: number;
  /** Of a picture, in pixels; left out for other files. */
  width?: number;
};

export type FileId = string;

/** Where to get a file's contents for a few minutes, without a token. */
export type FileLink = {
  expires_at: Timestamp;
  id: FileId;
  /** Relative to the address of the API if it begins with a slash. */
  url: string;
};

/** `GET /files`. */
export type FileLinks = {
  /** Those of the files that the caller may have; the others are left out. */
  links: FileLink[];
};

/** A name without a path; not . or .. alone. Stored in Unicode's composed form, without the space around it. */
export type FileName = string;

/** `joinChat` and `leaveChat`: this device has opened or closed the chat. */
export type Focus = {
  chat_id: ChatId;
};

/** `POST /auth/forgot`. */
export type ForgottenPassword = {
  email: Email;
};

/** `POST /auth/login` as a form (RFC 6749, section 4.3.2). `username` may hold an e-mail address. The other fields of the grant are ignored. */
export type FormLogin = {
  client_id?: string | null;
  client_secret?: string | null;
  grant_type?: string | null;
  password: string;
  scope?: string | null;
  username: string;
};

/** `POST /messages/{chat_id}/{message_id}/forward`. */
export type Forward = {
  /** The chat to forward the message to. */
  chat_id: ChatId;
  client_message_id?: ClientMessageId | null;
};

/** `GET /messages/search`. */
export type FoundMessages = {
  /** Newest first. */
  messages: Message[];
  /** The `?after=` of the next page; null on the last page. */
  next: string | null;
};

/** `GET /users` and `GET /users/blocked`. */
export type FoundPeople = {
  /** The `?after=` of the next page; null on the last page. */
  next: string | null;
  users: Person[];
};

/** What the server sends over the socket. */
export type Frame = {
  /** The receiver is in a new chat. */
  data: ChatCreated;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_created";
} | {
  /** The owner has ended the group for everybody. */
  data: ChatDissolved;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_dissolved";
} | {
  /** The answer to `joinChat`. */
  data: ChatJoined;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_joined";
} | {
  /** The answer to `leaveChat`. */
  data: ChatLeft;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_left";
} | {
  /** This person's own settings of the chat have changed. */
  data: SettingsChanged;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_settings";
} | {
  /** What everybody sees of the chat has changed: its name, description, rules or pins. */
  data: ChatUpdated;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "chat_updated";
} | {
  /** A frame was refused, or this socket is about to be closed. */
  data: ErrorBody;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "error";
} | {
  /** Somebody was added, perhaps the receiver. */
  data: MemberChanged;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "member_added";
} | {
  /** Somebody was removed or has left, perhaps the receiver. */
  data: MemberRemoved;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "member_removed";
} | {
  /** Somebody's role or name was changed. */
  data: MemberChanged;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "member_updated";
} | {
  /** The tombstone that remains of the message. */
  data: Message;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "message_deleted";
} | {
  /** The message as it is now. */
  data: Message;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "message_edited";
} | {
  /** Somebody's reactions to a message have changed. */
  data: MessageReacted;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "message_reacted";
} | {
  /** A member has read further; also the answer to `markRead`. */
  data: MessageRead;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "message_read";
} | {
  /** A message was stored. For its sender, this is the acknowledgement. */
  data: Message;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "new_message";
} | {
  /** The answer to `ping`. */
  data: Pong;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "pong";
} | {
  /** Somebody is typing in a chat that this device has opened, or no longer. */
  data: TypingIndicator;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "typing_indicator";
} | {
  /** A person's first device has connected, or their last one has disconnected. */
  data: UserStatus;
  /** The id of the request that this frame answers. */
  request_id?: string;
  type: "user_status";
};

/** API Gateway's own error, in the body of an HTTP answer. */
export type GatewayError = {
  message: string;
};

/** `GET /health`. Each part is `ok` or `unavailable`. */
export type Health = {
  connections: string;
  database: string;
  status: string;
  version: string;
};

/** `GET /messages/history/{chat_id}`. */
export type History = {
  chat_id: ChatId;
  /** Whether there are more messages in the page's direction. */
  has_more: boolean;
  last_message_id: number;
  /** Oldest first. */
  messages: Message[];
  /** The chat's revision before the page was read: sync from here. */
  revision: number;
};

/** A link by which people come into a group by themselves. */
export type Invite = {
  chat_id: ChatId;
  /** Whoever knows it may join. */
  code: string;
  created_at: Timestamp;
  created_by: UserId;
  expires_at: Timestamp | null;
  /** Null: any number. */
  max_uses: number | null;
  /** How many people have joined by it. */
  uses: number;
};

/** `GET /invites/{code}`: what somebody who holds a link sees before they join. */
export type InvitePreview = {
  chat_id: ChatId;
  description?: string;
  is_member: boolean;
  member_count: number;
  name: string;
};

/** `GET /chats/{chat_id}/invites`. */
export type Invites = {
  /** Those that work, oldest first. */
  invites: Invite[];
};

/** Base64url without padding. */
export type KeyText = string;

/** A chat in a person's list. */
export type ListedChat = Chat & ChatSettings & {
  last_message: Message | null;
  /** The read cursor of the person who asks. */
  last_read_id: number;
  peer: Person | null;
  /** The role of the person who asks. */
  role: Role;
  /** How many messages after `last_read_id` are neither deleted nor service entries. */
  unread_count: number;
  /** How many of these mention the person who asks; 100 stands for 100 or more. */
  unread_mentions: number;
};

/** Either `email` or `username`; each of them may hold either. */
export type Login = {
  email: string;
  password: string;
} | {
  password: string;
  username: string;
};

export type MarkRead = {
  chat_id: ChatId;
  /** Everything up to and including this message has been read. */
  message_id: number;
};

/** A media type without parameters (RFC 6838, section 4.2); stored in lower case. */
export type MediaType = string;

/** A person in a chat. */
export type Member = {
  /** The person's picture; left out if they have none. */
  avatar_id?: FileId;
  id: UserId;
  joined_at: Timestamp;
  /** The read cursor: they have read up to and including this message. */
  last_read_id: number;
  name: string;
  role: Role;
  username: string | null;
};

/** `member_added` and `member_updated`. */
export type MemberChanged = {
  by: UserId;
  chat_id: ChatId;
  /** The service entry that tells of it in the history, with the same revision; left out if there is none. */
  entry?: Message;
  /** The member as they are now. */
  member: Member;
  /** The chat's revision after this change. */
  revision: number;
};

export type MemberRemoved = {
  /** The same as `user_id` if they left. */
  by: UserId;
  chat_id: ChatId;
  /** The service entry that tells of it in the history; it has the same revision. */
  entry: Message;
  /** The chat's revision after this change. */
  revision: number;
  user_id: UserId;
};

export type Message = Details & {
  chat_id: ChatId;
  /** The sender's idempotency key. */
  client_message_id: string;
  deleted_at: Timestamp | null;
  edited_at: Timestamp | null;
  /** The message's number in the chat: 1, 2, 3… */
  id: number;
  /** Whether anybody other than the sender has read it. */
  is_read: boolean;
  kind: MessageKind;
  /** What the person who asks has reacted with. Only over HTTP and only if anybody has reacted: a frame is the same for everybody. */
  my_reactions?: string[];
  /** The chat's revision at this message's last change. */
  revision: number;
  sender_id: UserId;
  /** Null once the message is deleted, and in a service entry. */
  text: string | null;
  /** When the message was stored. */
  timestamp: Timestamp;
};

export type MessageKind = "text" | "service";

/** Somebody has changed what they react to a message with. The message's own revision is this one, too. */
export type MessageReacted = {
  by: UserId;
  chat_id: ChatId;
  /** All that this person reacts with now. */
  chosen: string[];
  message_id: number;
  /** Everybody's reactions, in the order in which they first occurred. */
  reactions: Reaction[];
  /** The chat's revision after this change. */
  revision: number;
};

/** A member's read cursor. It has no revision: cursors only move forward, so a client keeps the furthest. */
export type MessageRead = {
  chat_id: ChatId;
  /** They have read up to and including this message. */
  message_id: number;
  /** When the server handled the request. */
  read_at: Timestamp;
  user_id: UserId;
};

/** At least one visible character; line breaks are stored as \n. */
export type MessageText = string;

/** One line; stored in Unicode's composed form, without the space around it. */
export type Name = string;

/** A private chat with one other person, or a group. */
export type NewChat = {
  kind: "private";
  /** The other person. */
  user_id: UserId;
} | {
  client_chat_id?: ClientMessageId | null;
  kind: "group";
  /** The members besides the creator. */
  member_ids?: UserId[] | null;
  name: Name;
};

/** `POST /users/me/email`. */
export type NewEmail = {
  email: Email;
  password: string;
};

/** `POST /files`. */
export type NewFile = {
  content_type: MediaType;
  height?: number;
  name: FileName;
  /** Of a picture. */
  preview?: Preview;
  /** In bytes. */
  size: number;
  /** Of a picture (`image/jpeg`, `image/png`, `image/gif` or `image/webp`), in pixels, with the height. */
  width?: number;
};

/** `POST /chats/{chat_id}/invites`. */
export type NewInvite = {
  /** How long it works, in seconds; for ever if left out. */
  expires_in?: number;
  /** How many people may join by it; any number if left out. */
  max_uses?: number;
};

/** `POST /chats/{chat_id}/members`. */
export type NewMember = {
  user_id: UserId;
};

/** `POST /auth/password`. */
export type NewPassword = {
  current_password: string;
  new_password: Password;
};

/** `PUT /push/subscription`: what a browser's `subscribe` returns. */
export type NewPushSubscription = {
  endpoint: Endpoint;
  keys: PushKeys;
  /** Whether pushes carry the text of messages, or only who writes. */
  shows_text: boolean;
};

/** `POST /messages/{chat_id}/{message_id}/report`. */
export type NewReport = {
  reason?: Reason;
};

/** `PATCH /chats/{chat_id}/members/{user_id}`. */
export type NewRole = {
  role: Role;
};

/** `PATCH /messages/{chat_id}/{message_id}`. */
export type NewText = {
  text: MessageText;
};

/** `DELETE /push/subscription`. */
export type OldPushSubscription = {
  endpoint: Endpoint;
};

/** Who wrote a forwarded message first, and when. Which chat it comes from is not told. */
export type Origin = {
  timestamp: Timestamp;
  user_id: UserId;
};

/** `GET /config.json`: what the page must know before anybody logs in. */
export type PageConfig = {
  /** Where sockets are opened. */
  web_socket_url: string;
};

/** No rules but its length. */
export type Password = string;

/** `POST /auth/reset`. */
export type PasswordReset = {
  /** As it was mailed; in any case, with or without the hyphen. */
  code: string;
  email: Email;
  new_password: Password;
};

/** A person as everybody may see them. `Account` and `Member` have these fields and more. */
export type Person = {
  /** The person's picture; left out if they have none. */
  avatar_id?: FileId;
  id: UserId;
  name: string;
  /** Null if they have not chosen one. */
  username: string | null;
};

export type Ping = {
  /** The revision that the client holds of each chat. */
  chats?: {
    [key: string]: number;
  };
};

/** The chats of which the client does not hold the current revision, including those it does not know, with each chat's current revision; 0 for a chat it is no longer in. A revision below the client's means that the database was restored. */
export type Pong = {
  stale: {
    [key: string]: number;
  };
};

/** Who writes in a group. */
export type Posting = "everyone" | "admins";

/** `GET /users/presence`. */
export type PresenceList = {
  /** The people who are told when the caller comes and goes, 500 at most. */
  presence: UserStatus[];
};

/** A JPEG, PNG, GIF or WebP of at most 32 by 32 pixels, in base64 with padding. */
export type Preview = string;

/** `GET /users/{user_id}`: a `Person`, and what they say about themselves, which is only here. It would make every list and every frame with people longer. */
export type Profile = {
  /** What they say about themselves; left out if nothing. */
  about?: string;
  /** The person's picture; left out if they have none. */
  avatar_id?: FileId;
  id: UserId;
  name: string;
  username: string | null;
};

/** `GET /push/key`. */
export type PushKey = {
  /** The key by which push services know this messenger (RFC 8292), in base64url: the `applicationServerKey` of a browser's `subscribe`. */
  public_key: string;
};

/** The keys with which only the browser can read a push (RFC 8291). */
export type PushKeys = {
  /** 16 bytes. */
  auth: KeyText;
  /** An uncompressed point on P-256. */
  p256dh: KeyText;
};

/** The message that a reply answers, as it was then: its later edits and its deletion do not change the quote. */
export type Quote = {
  /** How many files it had; left out if none. */
  files?: number;
  id: number;
  sender_id: UserId;
  /** The first 200 characters of its text. */
  text: string;
};

export type Reaction = {
  /** How many people have reacted with it. */
  count: number;
  emoji: string;
};

/** At least one visible character; line breaks are stored as \n. */
export type Reason = string;

/** `POST /auth/refresh`. */
export type Refresh = {
  refresh_token: string;
};

/** `POST /auth/register`. */
export type Registration = {
  email: Email;
  name: Name;
  password: Password;
  username?: Username | null;
};

/** `DELETE /chats/{chat_id}/members/{user_id}`. */
export type Removed = {
  chat_id: ChatId;
  revision: number;
};

/** What a client sends over HTTP. */
export type RequestBody =
  | AccountChange | ChatChange | ChosenReactions | EmailConfirmation | Farewell | ForgottenPassword | Forward | Login | NewChat | NewEmail | NewFile | NewInvite | NewMember | NewPassword | NewPushSubscription | NewReport | NewRole | NewText | OldPushSubscription | PasswordReset | Refresh | Registration | SendMessage | SettingsChange;

export type Role = "member" | "admin" | "owner";

/** `sendMessage`, and the body of `POST /messages`. */
export type SendMessage = {
  chat_id: ChatId;
  client_message_id?: ClientMessageId | null;
  /** Files of the caller that are in the store. */
  file_ids?: FileId[] | null;
  /** The message of this chat that this one replies to. */
  reply_to_id?: number | null;
  text?: MessageText | null;
};

export type Session = {
  /** When the user logged in. */
  created_at: Timestamp;
  /** The `User-Agent` at login. */
  device: string | null;
  /** When it ends unless it is refreshed. */
  expires_at: Timestamp;
  id: SessionId;
  /** When it last refreshed its tokens. */
  refreshed_at: Timestamp;
};

/** Everything that descends from one login. The `sid` of an access token. */
export type SessionId = string;

/** `GET /auth/sessions`. */
export type Sessions = {
  /** The session that made the request. */
  current: SessionId;
  /** The live sessions, newest first. */
  sessions: Session[];
};

/** `PATCH /chats/{chat_id}/settings`. What is left out stays as it is. */
export type SettingsChange = {
  archived?: boolean;
  /** Takes the chat off the list until its next message. */
  hidden?: boolean;
  marked_unread?: boolean;
  muted_until?: Timestamp | null;
};

/** What a chat is to this person, changed on another of their devices. It has no revision: only they see it. */
export type SettingsChanged = ChatSettings & {
  chat_id: ChatId;
};

/**
 * A moment, written as `2026-11-20T08:00:00.123Z`: always in UTC, always with milliseconds.
 * @example 2026-11-20T08:00:00.123Z
 */
export type Timestamp = string;

/** `POST /auth/login` and `POST /auth/refresh`. The names are OAuth 2.0's (RFC 6749, section 5.1). */
export type TokenPair = {
  access_token: string;
  /** Lifetime of the access token, in seconds. */
  expires_in: number;
  refresh_token: string;
  /** Always `bearer`. */
  token_type: string;
};

export type Typing = {
  chat_id: ChatId;
  /** False when the person stops typing. */
  is_typing: boolean;
};

export type TypingIndicator = {
  chat_id: ChatId;
  is_typing: boolean;
  user_id: UserId;
};

/** `GET /chats/unread`. */
export type UnreadTotal = {
  /** How many chats have unread messages. */
  unread_chats: number;
  /** The sum of the `unread_count` of all chats. */
  unread_count: number;
  /** The sum of their `unread_mentions`. */
  unread_mentions: number;
};

/** A request that puts a file's contents into the store. The store refuses any other length or type. */
export type Upload = {
  expires_at: Timestamp;
  /** The request has exactly these headers besides those that every client sends by itself. */
  headers: {
    [key: string]: string;
  };
  /** Always `PUT`. */
  method: string;
  /** Relative to the address of the API if it begins with a slash. */
  url: string;
};

export type UserId = string;

/** `user_status`, and part of `chat_joined`. */
export type UserStatus = {
  last_seen_at: Timestamp | null;
  /** Whether any of their devices is connected. */
  online: boolean;
  user_id: UserId;
};

/** A handle; stored in lower case. */
export type Username = string;

/** Who may add a person to groups. */
export type WhoMayAdd = "everyone" | "contacts" | "nobody";
