//! actix-web-actors as in its own chat example: an actor for each connection, and one for the room, which sends each of them
//! a message. The text is shared, not copied for each as the example does. Deprecated upstream; here to be measured.

use actix::{Actor, ActorContext as _, Addr, AsyncContext as _, Context, Handler, Message, Running, StreamHandler};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, Payload, get};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use actix_web_actors::ws::{self, ProtocolError, WebsocketContext};
use bytestring::ByteString;
use std::collections::HashSet;
use tidings_peers::{LISTEN, SPEAK, listener, tell};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// To one connection.
#[derive(Clone, Message)]
#[rtype(result = "()")]
struct Deliver(ByteString);

/// To the room, from the one who speaks.
#[derive(Message)]
#[rtype(result = "()")]
struct Say(ByteString);

#[derive(Message)]
#[rtype(result = "()")]
struct Enter(Addr<Connection>);

#[derive(Message)]
#[rtype(result = "()")]
struct Leave(Addr<Connection>);

#[derive(Default)]
struct Room {
    listeners: HashSet<Addr<Connection>>,
}

impl Actor for Room {
    type Context = Context<Self>;
}

impl Handler<Enter> for Room {
    type Result = ();

    fn handle(&mut self, Enter(listener): Enter, _: &mut Context<Self>) {
        self.listeners.insert(listener);
    }
}

impl Handler<Leave> for Room {
    type Result = ();

    fn handle(&mut self, Leave(listener): Leave, _: &mut Context<Self>) {
        self.listeners.remove(&listener);
    }
}

impl Handler<Say> for Room {
    type Result = ();

    fn handle(&mut self, Say(text): Say, _: &mut Context<Self>) {
        for listener in &self.listeners {
            listener.do_send(Deliver(text.clone()));
        }
    }
}

struct Connection {
    room: Addr<Room>,
    listens: bool,
}

impl Actor for Connection {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.listens {
            self.room.do_send(Enter(ctx.address()));
        }
    }

    fn stopping(&mut self, ctx: &mut Self::Context) -> Running {
        self.room.do_send(Leave(ctx.address()));
        Running::Stop
    }
}

impl Handler<Deliver> for Connection {
    type Result = ();

    fn handle(&mut self, Deliver(text): Deliver, ctx: &mut Self::Context) {
        ctx.text(text);
    }
}

impl StreamHandler<Result<ws::Message, ProtocolError>> for Connection {
    fn handle(&mut self, message: Result<ws::Message, ProtocolError>, ctx: &mut Self::Context) {
        match message {
            Ok(ws::Message::Text(text)) => self.room.do_send(Say(text)),
            Ok(ws::Message::Ping(payload)) => ctx.pong(&payload),
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(_) => {}
            Err(_) => ctx.stop(),
        }
    }
}

async fn enter(request: HttpRequest, stream: Payload, room: Data<Addr<Room>>) -> actix_web::Result<HttpResponse> {
    let connection = Connection { room: room.get_ref().clone(), listens: request.path() == LISTEN };
    ws::start(connection, &request, stream)
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let room = Data::new(Room::default().start());
    let listener = listener()?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || {
        App::new().app_data(room.clone()).route(LISTEN, get().to(enter)).route(SPEAK, get().to(enter))
    })
    .workers(1)
    .on_connect(|socket, _| {
        let stream = socket.downcast_ref::<TcpStream>().expect("plain TCP is all we listen for");
        if let Err(cause) = stream.set_nodelay(true) {
            eprintln!("no TCP_NODELAY: {cause}");
        }
    })
    .max_connections(100_000)
    .listen(listener)?
    .run();
    tell(address)?;
    Ok(server.await?)
}
