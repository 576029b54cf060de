/// Words of the reference data: people, restaurants and dishes in Russian.
enum RussianNames {
    struct Person {
        let name: String
        let login: String
    }

    /// Name and its Latin spelling, for the login.
    private static let surnames: [(man: String, woman: String, latin: String)] = [
        ("Иванов", "Иванова", "ivanov"), ("Смирнов", "Смирнова", "smirnov"), ("Кузнецов", "Кузнецова", "kuznetsov"),
        ("Попов", "Попова", "popov"), ("Васильев", "Васильева", "vasilev"), ("Петров", "Петрова", "petrov"),
        ("Соколов", "Соколова", "sokolov"), ("Михайлов", "Михайлова", "mikhailov"), ("Новиков", "Новикова", "novikov"),
        ("Фёдоров", "Фёдорова", "fedorov"), ("Морозов", "Морозова", "morozov"), ("Волков", "Волкова", "volkov"),
        ("Алексеев", "Алексеева", "alekseev"), ("Лебедев", "Лебедева", "lebedev"), ("Семёнов", "Семёнова", "semenov"),
        ("Егоров", "Егорова", "egorov"), ("Павлов", "Павлова", "pavlov"), ("Козлов", "Козлова", "kozlov"),
    ]
    private static let men: [(name: String, latin: String)] = [
        ("Александр", "a"), ("Дмитрий", "d"), ("Максим", "m"), ("Сергей", "s"), ("Андрей", "an"), ("Илья", "i"),
        ("Николай", "n"), ("Павел", "p"),
    ]
    private static let women: [(name: String, latin: String)] = [
        ("Анна", "a"), ("Мария", "m"), ("Елена", "e"), ("Ольга", "o"), ("Наталья", "n"), ("Татьяна", "t"),
        ("Ирина", "i"), ("Юлия", "yu"),
    ]

    static func person(_ number: Int, man: Bool, first: Int, last: Int) -> Person {
        let given = man ? men[first % men.count] : women[first % women.count]
        let family = surnames[last % surnames.count]
        return Person(
            name: "\(given.name) \(man ? family.man : family.woman)",
            login: "\(given.latin).\(family.latin)\(man ? "" : "a")\(number)"
        )
    }

    static let restaurants = [
        "Трактир «Самовар»", "Кафе «Берёзка»", "Пельменная №1", "Столовая «Уют»", "Ресторан «Волга»",
        "Шашлычная «Кавказ»", "Блинная «Масленица»", "Бистро «Невский»", "Кафе «Тройка»", "Ресторан «Сибирь»",
    ]

    static let categories = ["Закуски", "Супы", "Основные блюда", "Гарниры", "Напитки"]

    /// Dishes by category, in the order of ``categories``.
    static let dishes: [[String]] = [
        ["Салат «Оливье»", "Винегрет", "Сельдь под шубой", "Холодец", "Икра кабачковая", "Грибы маринованные"],
        ["Борщ", "Щи", "Солянка", "Уха", "Окрошка", "Рассольник"],
        ["Пельмени", "Бефстроганов", "Котлета по-киевски", "Голубцы", "Плов", "Шашлык из баранины"],
        ["Картофельное пюре", "Гречневая каша", "Рис отварной", "Овощи на гриле", "Макароны", "Капуста тушёная"],
        ["Квас", "Морс клюквенный", "Компот", "Чай чёрный", "Кофе", "Сбитень"],
    ]
}
