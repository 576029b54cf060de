import Primitives

/// Users and restaurants of the simulated orders. Ids, names and menus follow from the seed alone: loading them again,
/// also with another start, updates the same users and restaurants.
package struct ReferenceGenerator: Sendable {
    package static let users = 100
    package static let restaurants = 10
    package static var categories: [String] { RussianNames.categories }

    package struct User: Sendable {
        package let id: String
        package let name: String
        package let login: String
        /// Seconds, as microseconds.
        package let updatedAt: Int64

        package var bytes: [UInt8] {
            var out: [UInt8] = []
            out.add("{\"_id\":\"")
            out.add(id)
            out.add("\",\"name\":\"")
            out.add(name)
            out.add("\",\"login\":\"")
            out.add(login)
            out.add("\",\"update_ts_utc\":\"")
            out.addSeconds(updatedAt)
            out.add("\"}")
            return out
        }
    }

    package struct MenuItem: Sendable {
        package let id: String
        package let name: String
        /// RUB, whole.
        package let price: Int
        package let category: String
    }

    package struct Restaurant: Sendable {
        package let id: String
        package let name: String
        package let menu: [MenuItem]
        package let updatedAt: Int64

        package var bytes: [UInt8] {
            var out: [UInt8] = []
            out.add("{\"_id\":\"")
            out.add(id)
            out.add("\",\"name\":\"")
            out.add(name)
            out.add("\",\"menu\":[")
            for (index, item) in menu.enumerated() {
                out.add(index == 0 ? "{\"_id\":\"" : ",{\"_id\":\"")
                out.add(item.id)
                out.add("\",\"name\":\"")
                out.add(item.name)
                out.add("\",\"price\":")
                out.add(item.price)
                out.add(",\"category\":\"")
                out.add(item.category)
                out.add("\"}")
            }
            out.add("],\"update_ts_utc\":\"")
            out.addSeconds(updatedAt)
            out.add("\"}")
            return out
        }
    }

    package let users: [User]
    package let restaurants: [Restaurant]

    /// - Parameter start: Menus are valid from here on (whole seconds), users since 0 to 365 days before.
    package init(seed: UInt64, start: Int64) {
        let second = start.flooredDivision(by: 1_000_000).quotient * 1_000_000
        let userSeeds = EventSeeds(seed: seed, purpose: "users")
        users = (0..<Self.users).map { index in
            var random = userSeeds.draws(at: index)
            let id = Self.objectID(&random)
            let person = RussianNames.person(
                index + 1,
                man: random.below(2) == 0,
                first: random.below(1_000),
                last: random.below(1_000)
            )
            let age = Int64(random.within(0...365 * 86_400)) * 1_000_000
            return User(id: id, name: person.name, login: person.login, updatedAt: second - age)
        }
        let restaurantSeeds = EventSeeds(seed: seed, purpose: "restaurants")
        restaurants = (0..<Self.restaurants).map { index in
            var random = restaurantSeeds.draws(at: index)
            let id = Self.objectID(&random)
            let dishes = RussianNames.dishes.flatMap { $0 }
            let perCategory = RussianNames.dishes[0].count
            let menu = random.distinct(random.within(5...15), below: dishes.count).map { dish in
                MenuItem(
                    id: Self.objectID(&random),
                    name: dishes[dish],
                    price: random.within(100...1_000),
                    category: RussianNames.categories[dish / perCategory]
                )
            }
            return Restaurant(id: id, name: RussianNames.restaurants[index], menu: menu, updatedAt: second)
        }
    }

    /// 24 hex digits.
    private static func objectID(_ random: inout SeededRandom) -> String {
        var out: [UInt8] = []
        out.addHex(random.next(), digits: 16)
        out.addHex(random.next(), digits: 8)
        return String(decoding: out, as: UTF8.self)
    }
}
